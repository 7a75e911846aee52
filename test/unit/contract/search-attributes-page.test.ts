import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { SAVED_VIEWS } from '../../../src/cli/saved-views.js';
import { JOB_STATES, SEARCH_ATTRIBUTES } from '../../../src/contract/search-attributes.js';

const page = (name: string) => readFileSync(fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url)), 'utf8');

/** The first column of all tables. */
const firstCells = (markdown: string): string[] =>
  Array.from(markdown.matchAll(/^\| `([A-Za-z_]+)` +\|/gm), ([, cell]) => String(cell));

test('docs/reference/search-attributes.md: its tables → the attributes and the states of the code', () => {
  const names = Object.values(SEARCH_ATTRIBUTES).map(({ name }) => name);
  // The second table is headed by the name of the attribute.
  const expected = [...names, 'LlmJobStatus', ...JOB_STATES];
  expect(firstCells(page('reference/search-attributes.md')).toSorted()).toEqual(expected.toSorted());
});

test('docs/how-to/temporal-ui.md → every query that `setup` prints', () => {
  for (const { query } of SAVED_VIEWS) expect(page('how-to/temporal-ui.md')).toContain(`\`${query}\``);
});
