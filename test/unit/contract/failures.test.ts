import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { FAILURES } from '../../../src/contract/failures.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const TABLE = Object.entries(FAILURES).map(([type, { retryable, meaning, details, next }]) => ({
  type,
  retryable: retryable ? 'yes' : 'no',
  meaning,
  details,
  next,
}));

/** Rows of the first markdown table whose first column is headed "Type", without its head. */
function failureTable(markdown: string): string[][] {
  const lines = markdown.split('\n');
  const head = lines.findIndex((line) => /^\|\s*type\s*\|/i.test(line));
  if (head === -1) return [];
  const rest = lines.slice(head + 2);
  const end = rest.findIndex((line) => !line.startsWith('|'));
  return rest.slice(0, end === -1 ? rest.length : end).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test('docs/reference/failures.md: its table → row by row the one in the code', () => {
  const rows = failureTable(readFileSync(`${root}docs/reference/failures.md`, 'utf8'));
  expect(
    rows.map(([type, retryable, meaning, details, next]) => ({ type, retryable, meaning, details, next })),
  ).toEqual(
    TABLE.map(({ type, details, ...row }) => ({
      ...row,
      type: `\`${type}\``,
      details: details === 'none' ? 'none' : `\`${details}\``,
    })),
  );
});
