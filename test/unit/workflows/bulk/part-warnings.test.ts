import { expect, test } from 'vitest';
import type { PartOutcome } from '../../../../src/contract/part.js';
import { PartWarnings } from '../../../../src/workflows/bulk/part-warnings.js';

const outcome = (part: number, ...warnings: string[]) => ({ round: 1, part, warnings }) as unknown as PartOutcome;

test('equal warnings of several parts → one sentence with the first part and their number', () => {
  const warnings = new PartWarnings([], 0);
  warnings.add(outcome(3, 'Unreadable lines: 1', 'A file was kept'));
  for (let part = 4; part < 15; part += 1) warnings.add(outcome(part, 'Unreadable lines: 1'));
  expect(warnings.texts).toEqual([
    'Part 3 of round 1: Unreadable lines: 1 (12 parts)',
    'Part 3 of round 1: A file was kept',
  ]);
});

test('more warnings than are kept → the rest is counted, also by the run that continues', () => {
  const first = new PartWarnings([], 0);
  for (let part = 1; part <= 50; part += 1) first.add(outcome(part, `Warning ${part}`));
  const second = new PartWarnings(first.kept, first.dropped);
  second.add(outcome(51, 'Warning 1', 'Warning 51'));
  expect(second.texts).toHaveLength(41);
  expect(second.texts[0]).toBe('Part 1 of round 1: Warning 1 (2 parts)');
  expect(second.texts.at(-1)).toMatch(/^11 further warnings of parts are not shown/);
});
