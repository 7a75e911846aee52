import { expect, test } from 'vitest';
import { defaultWorkflowId } from '../../../src/client/default-id.js';

test.each([
  ['file:///data/reviews.jsonl', /^batch-reviews-[a-z2-9]{10}$/],
  ['s3://bucket/in/2026/Reviews%20of%20May.jsonl.gz', /^batch-Reviews-of-May-[a-z2-9]{10}$/],
  ['s3://bucket/in/2026/', /^batch-2026-/],
  ['file-Abc_123', /^batch-file-Abc_123-/],
  ['12 requests', /^batch-12-requests-/],
  ['file:///data/%E0%A4%A.jsonl', /^batch-E0-A4-A-/],
  ['file:///data/résumé\n.json', /^batch-r-sum-[a-z2-9]{10}$/],
  ['file:///.jsonl', /^batch-[a-z2-9]{10}$/],
  [`file:///${'x'.repeat(300)}.jsonl`, /^batch-x{40}-[a-z2-9]{10}$/],
  [null, /^batch-[a-z2-9]{10}$/],
])('the workflow id of a run of %s', (input, expected) => {
  expect(defaultWorkflowId('batch', input)).toMatch(expected);
});

test('the same input again → another id', () => {
  expect(defaultWorkflowId('batch', 'a')).not.toBe(defaultWorkflowId('batch', 'a'));
});
