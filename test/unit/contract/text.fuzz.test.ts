import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { bounded, inMarkdown } from '../../../src/contract/text.js';
import { RUNS, anyText } from '../../support/fuzz.js';

/** Control characters but tab and newline, line separators, and what turns the direction of the text around it. */
// eslint-disable-next-line no-control-regex
const UNWANTED = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]/;
const MARKUP = /[\\`*_{}[\]()<>#+!|~&.:@-]/;

const nasty = fc.oneof(
  anyText,
  fc
    .array(
      fc.oneof(
        anyText,
        fc.constantFrom(
          '[click](https://evil.example)',
          '![x](y)',
          '<script>',
          '&lt;',
          '| a | b |\n| --- | --- |',
          '\n\n# Title\n',
          '```\n',
          '\u202eexe.pdf',
          '\u0007\u001b[31m',
          'www.evil.example',
          '1. one',
          '{workflowId}',
          '\\',
          '🙂',
        ),
      ),
    )
    .map((parts) => parts.join('')),
);
const max = fc.integer({ min: 1, max: 400 });

test('bounded text: any text → no control characters, well-formed, within the bound, and the same a second time', () => {
  fc.assert(
    fc.property(nasty, max, (text, limit) => {
      const result = bounded(text, limit);
      expect(result).not.toMatch(UNWANTED);
      expect(result.isWellFormed()).toBe(true);
      expect(Array.from(result).length).toBeLessThanOrEqual(limit);
      expect(bounded(result, limit)).toBe(result);
    }),
    RUNS,
  );
});

test('bounded text: any text without control characters that fits → unchanged', () => {
  fc.assert(
    fc.property(nasty, (text) => {
      fc.pre(text.isWellFormed() && !UNWANTED.test(text) && Array.from(text).length <= 1_000);
      expect(bounded(text)).toBe(text);
    }),
    RUNS,
  );
});

test('text in markdown: any text → one line, no control characters, all markup escaped, length bounded', () => {
  fc.assert(
    fc.property(nasty, max, (text, limit) => {
      const result = inMarkdown(text, limit);
      expect(result).not.toMatch(UNWANTED);
      expect(result).not.toMatch(/[\n\r\t\f\v]/);
      expect(result.isWellFormed()).toBe(true);
      expect(result.replace(/\\[^\p{L}\p{N}\s]/gu, '')).not.toMatch(MARKUP);
      expect(Array.from(result).length).toBeLessThanOrEqual(2 * limit);
    }),
    RUNS,
  );
});

test('text in markdown: any text, unescaped again → the bounded text on one line', () => {
  fc.assert(
    fc.property(nasty, max, (text, limit) => {
      expect(inMarkdown(text, limit).replace(/\\(.)/gu, '$1')).toBe(bounded(text, limit).replace(/\s+/g, ' '));
    }),
    RUNS,
  );
});
