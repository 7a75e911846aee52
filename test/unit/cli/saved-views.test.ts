import { expect, test } from 'vitest';
import { linkOf, SAVED_VIEWS, uiOf } from '../../../src/cli/saved-views.js';

test.each([
  ['localhost:7233', 'http://localhost:8233'],
  ['http://127.0.0.1:7233', 'http://localhost:8233'],
  ['jobs.a2dd6.tmprl.cloud:7233', 'https://cloud.temporal.io'],
  ['us-east-1.aws.api.temporal.io:7233', 'https://cloud.temporal.io'],
  ['temporal.example.com:7233', null],
])('the UI of the server at %s', (address, expected) => {
  expect(uiOf(address)).toBe(expected);
});

test('a view → a link with its query, or the path alone', () => {
  const expired = SAVED_VIEWS.find(({ name }) => name === 'Expired')!;
  const path = '/namespaces/my%20jobs/workflows?query=LlmJobStatus%20%3D%20%22expired%22&savedQuery=Expired';
  expect(linkOf(expired, 'https://ui.example.com/', 'my jobs')).toBe(`https://ui.example.com${path}`);
  expect(linkOf(expired, null, 'my jobs')).toBe(path);
});
