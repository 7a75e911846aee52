import { describe, expect, test } from 'vitest';
import { asErrorBody, errorWords } from '../../../src/provider/error-body.js';

const read = (body: unknown) => (JSON.parse(asErrorBody(JSON.stringify(body))) as { error: unknown }).error;

describe('the body of an error reply', () => {
  test.each<[what: string, body: unknown, message: string, code: string | number | null]>([
    ['FastAPI', { detail: 'Model is loading' }, 'Model is loading', null],
    [
      'a validation of FastAPI',
      { detail: [{ loc: ['body', 'endpoint'], msg: 'field required', type: 'value_error.missing' }] },
      'body.endpoint: field required',
      null,
    ],
    ['vLLM', { object: 'error', message: 'No such model', code: 404 }, 'No such model', 404],
    [
      'a nested detail',
      { detail: { message: 'Quota spent', code: 'exceeded_quota' } },
      'Quota spent',
      'exceeded_quota',
    ],
    ['a text as error', { error: 'Unauthorized key', code: 'bad_key' }, 'Unauthorized key', 'bad_key'],
    ['OAuth', { error: 'invalid_grant', error_description: 'Token expired' }, 'Token expired', 'invalid_grant'],
    ['a list of errors', { errors: [{ message: 'a', code: 'x' }, 'b'] }, 'a; b', 'x'],
    ['errors by field', { errors: { model: ['is required'], url: 'is bad' } }, 'model: is required; url: is bad', null],
    [
      'problem details',
      { type: 'about:blank', title: 'Gone', status: 410, detail: 'File expired' },
      'File expired',
      null,
    ],
    ['a list around the error', [{ error: { code: 400, message: 'Bad argument' } }], 'Bad argument', 400],
    ['DashScope', { code: 'Throttling', message: 'Too fast', request_id: 'r' }, 'Too fast', 'Throttling'],
    ['an error object without words of its own', { error: { code: 7, detail: 'inner' } }, 'inner', 7],
    ['a JSON text', 'Not here', 'Not here', null],
    ['no words at all', { ok: false }, '{"ok":false}', null],
  ])('%s → its words and its code', (_, body, message, code) => {
    expect(read(body)).toMatchObject({ message, code });
  });

  test.each(['{"error":{"message":"as OpenAI sends it","code":null},"extra":1}', '<html>', '', 'null', '{"half": '])(
    '%j → unchanged',
    (text) => {
      expect(asErrorBody(text)).toBe(text);
    },
  );

  test('nested without end, and wide → an end', () => {
    let deep: unknown = 'at the bottom';
    for (let depth = 0; depth < 50; depth += 1) deep = { detail: deep };
    expect(errorWords(deep)).toBeNull();
    expect(errorWords({ errors: Array.from({ length: 10_000 }, () => 'x') })?.length).toBeLessThan(100);
  });
});
