import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPage, ROOT } from '../../support/docs/pages.js';

test.each(['starter.py', 'starter.go'])('docs/how-to/other-languages.md → shows %s as it is', (name) => {
  const shown = readPage('docs/how-to/other-languages.md').blocks.map(({ text }) => `${text}\n`);
  expect(shown).toContain(readFileSync(join(ROOT, 'examples/other-languages', name), 'utf8'));
});
