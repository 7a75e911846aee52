import { describe, expect, test } from 'vitest';
import { redact } from '../../../src/provider/redact.js';

const KEY = 'sk-proj-AbC123_def-456GHI';

test('redact: a known secret at any position, any number of times → replaced', () => {
  expect(redact('tok3n and "tok3n",tok3ntok3n', ['tok3n'])).toBe('[redacted] and "[redacted]",[redacted][redacted]');
});

test('redact: a secret that begins with another one → both replaced completely', () => {
  expect(redact('<abcd-1234>', ['abcd', 'abcd-1234'])).toBe('<[redacted]>');
});

test('redact: secrets with characters that are special in a pattern → taken literally', () => {
  expect(redact('a.*+$&b and axxb', ['a.*+$&b'])).toBe('[redacted] and axxb');
});

test('redact: a text without secrets → unchanged', () => {
  const text =
    '404 No such Batch object: batch_67ab (request req_1) at https://api.openai.com/v1/batches?after=x, key "custom_id"';
  expect(redact(text, ['sk-other'])).toBe(text);
  expect(redact('', [])).toBe('');
});

describe('redact: what looks like a key but is not a known secret → replaced', () => {
  test.each<[text: string, secret: string]>([
    [`Incorrect API key provided: ${KEY}. You can find it there.`, KEY],
    ['Incorrect API key provided: sk-proj-****************GHI.', 'GHI'],
    ['key gsk_abcdefghij1234', 'abcdefghij1234'],
    ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'MfKQ9r8'],
    ['Bearer abc.def.ghi', 'abc.def.ghi'],
    ['bearer  abc', 'abc'],
    ['"Authorization":"Bearer eyJhbGciOi"', 'eyJhbGciOi'],
    ['authorization: Basic dXNlcjpwYXNz', 'dXNlcjpwYXNz'],
    ['Authorization=xyz123', 'xyz123'],
    ['{"api-key": "0123456789abcdef"}', '0123456789abcdef'],
    ['api_key=0123456789abcdef&x=1', '0123456789abcdef'],
    ['https://user:pass@proxy.example/v1', 'pass'],
    ['https://user:p@ss@proxy.example/v1', 'ss@'],
    ['http://token@proxy.example', 'token'],
  ])('%s', (text, secret) => {
    expect(redact(text, [])).not.toContain(secret);
    expect(redact(text, [])).toContain('[redacted]');
  });
});

test('redact: user information in a URL → the host stays', () => {
  expect(redact('cannot reach https://user:pass@proxy.example/v1: refused', [])).toBe(
    'cannot reach https://[redacted]proxy.example/v1: refused',
  );
});

test('redact: a text of a megabyte made to confuse → no hang', () => {
  const start = process.cpuUsage();
  for (const text of ['authorization', 'Bearer ', 'sk-', '://@', '://a', 'api_key: ', 'key-*']) {
    redact(text.repeat(150_000), [KEY]);
    redact(text + ' '.repeat(1_000_000), [KEY]);
    redact(text + 'a'.repeat(1_000_000), [KEY]);
  }
  // Processor time, since a busy machine lengthens the other.
  expect(process.cpuUsage(start).user / 1_000).toBeLessThan(10_000);
});
