/** What docs/how-to/observability.md says of the metrics is what the code reports. */
import { expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { METRICS } from '../../../src/contract/metrics.js';
import { ROOT } from '../../support/docs/pages.js';

const page = readFileSync(join(ROOT, 'docs/how-to/observability.md'), 'utf8');

test('docs/how-to/observability.md → every metric with its type, unit, labels and meaning, and no other', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `llm_jobs_'));
  const documented = rows.map((row) => {
    const [name, type, unit, labels = '', description] = row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    return { name: name?.replaceAll('`', ''), type, unit: unit || null, labels: labels.match(/\w+/g), description };
  });
  expect(documented).toEqual(Object.values(METRICS));
});
