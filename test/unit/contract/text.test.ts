import { describe, expect, test } from 'vitest';
import { bounded, inMarkdown, inPlainSummary, inSummary } from '../../../src/contract/text.js';

test('bounded text: plain words → as they are, with tabs and newlines', () => {
  expect(bounded('Grüße, 世界 🙂\n\tand more')).toBe('Grüße, 世界 🙂\n\tand more');
  expect(bounded('')).toBe('');
});

test('bounded text: control characters → one space for a run of them', () => {
  expect(bounded('a\u0000\u001b\u0007b\rc\u2028d\u202ee')).toBe('a b c d e');
});

test('bounded text: exactly the bound → whole; one more → cut, with an ellipsis in the bound', () => {
  expect(bounded('x'.repeat(10), 10)).toBe('x'.repeat(10));
  expect(bounded('x'.repeat(11), 10)).toBe(`${'x'.repeat(9)}…`);
  expect(bounded('🙂'.repeat(10), 10)).toBe('🙂'.repeat(10));
  expect(bounded('🙂'.repeat(11), 10)).toBe(`${'🙂'.repeat(9)}…`);
});

test('bounded text: something beyond the bound that removing control characters would hide → an ellipsis tells of it', () => {
  expect(bounded(`a${'\u0000'.repeat(50)}b`, 10)).toBe('a …');
});

test('bounded text: no bound given → 1,000 characters', () => {
  expect(Array.from(bounded('x'.repeat(5_000)))).toHaveLength(1_000);
});

test('bounded text: half a surrogate pair, in a text that is cut or not → replaced', () => {
  expect(bounded('a\ud83d b')).toBe('a\ufffd b');
  expect(bounded(`a\ud83d${'x'.repeat(20)}`, 5)).toBe('a\ufffdxx…');
});

describe('text in markdown → shown as it is written', () => {
  test.each([
    ['[click](https://evil.example)', '\\[click\\]\\(https\\://evil\\.example\\)'],
    ['https://evil.example', 'https\\://evil\\.example'],
    ['www.evil.example', 'www\\.evil\\.example'],
    ['me@evil.example', 'me\\@evil\\.example'],
    ['![image](x)', '\\!\\[image\\]\\(x\\)'],
    ['<img src=x onerror=alert(1)>', '\\<img src=x onerror=alert\\(1\\)\\>'],
    ['# Title', '\\# Title'],
    ['1. one', '1\\. one'],
    ['- item', '\\- item'],
    ['a | b', 'a \\| b'],
    ['a\n\n---\r\n\tb', 'a \\-\\-\\- b'],
    ['`code` **bold** _it_ ~~no~~', '\\`code\\` \\*\\*bold\\*\\* \\_it\\_ \\~\\~no\\~\\~'],
    ['\\[x]', '\\\\\\[x\\]'],
    ['&amp;', '\\&amp;'],
    // The Temporal UI fills these in.
    ['{workflowId}', '\\{workflowId\\}'],
    ['gpt-4o mini, 37 of 60', 'gpt\\-4o mini, 37 of 60'],
  ])('%j', (text, expected) => {
    expect(inMarkdown(text)).toBe(expected);
  });
});

describe('a summary', () => {
  test('markup and control characters → plain text on one line', () => {
    expect(inSummary('Delete [a](javascript:b)\u0000\n{x}')).toBe('Delete \\[a\\]\\(javascript\\:b\\) \\{x\\}');
  });

  test('of an activity → as it is, on one line', () => {
    const text = 'Check every line of file:///a-b/in_progress.jsonl (5 lines)\u0000\n[x]';
    expect(inPlainSummary(text)).toBe('Check every line of file:///a-b/in_progress.jsonl (5 lines) [x]');
  });

  test.each(['x'.repeat(5_000), '['.repeat(5_000), '世'.repeat(5_000), '🙂'.repeat(5_000), 'é_'.repeat(5_000)])(
    'long (%j) → no more bytes than the server accepts',
    (text) => {
      for (const summary of [inSummary(text), inPlainSummary(text)]) {
        expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(400);
        expect(summary.length).toBeGreaterThan(100);
        expect(summary.endsWith('…')).toBe(true);
      }
    },
  );
});
