import { stripVTControlCharacters, styleText } from 'node:util';
import { describe, expect, test } from 'vitest';
import { amountOf, rowLines, type Layout, type Row } from '../../../src/cli/bars.js';
import { Pace } from '../../../src/cli/pace.js';

const NOW = 1_700_000_000_000;
const layout: Layout = { columns: 100, frame: 0, now: NOW, paint: (_, text) => text };

const inColour: Layout['paint'] = (format, text) => styleText(format, text, { validateStream: false });

const batch = (counts: object, more: object = {}) =>
  ({
    phase: 'waiting',
    jobId: 'batch_1',
    status: 'in_progress',
    attention: null,
    counts,
    waitingFor: null,
    ...more,
  }) as never;

const row = (progress: Row['progress'], more: Partial<Row> = {}): Row => ({
  workflowId: 'nightly',
  state: 'running',
  progress,
  note: null,
  pace: new Pace(),
  ...more,
});

describe('a run as a bar', () => {
  test('a batch under way → its share, rate, time left and state', () => {
    const pace = new Pace();
    pace.add(NOW - 20_000, 10);
    pace.add(NOW, 30);
    const progress = batch({ total: 60, completed: 29, failed: 1 }, { waitingFor: 'room' });
    expect(rowLines(row(progress, { pace }), layout)).toEqual([
      '⠋ nightly  waiting  in_progress  waits for room',
      `  ${'━'.repeat(20)}${'─'.repeat(20)}  30 of 60  1.0/s  about 30 s left`,
    ]);
  });

  test('before the first answer, ended and failed → a mark for each', () => {
    expect(rowLines(row(null), layout)).toEqual(['⠋ nightly  asking …', `  ${'─'.repeat(40)}`]);
    const progress = batch({ total: 6, completed: 6, failed: 0 }, { phase: 'done', status: 'completed' });
    expect(rowLines(row(progress, { state: 'done' }), layout)).toEqual([
      '✔ nightly  done  completed',
      `  ${'━'.repeat(40)}  6 of 6`,
    ]);
    expect(rowLines(row(progress, { state: 'failed' }), layout)[0]).toMatch(/^✖ nightly/);
  });

  test('what a person has to do → instead of the state', () => {
    const [state] = rowLines(row(batch({ total: 0 }), { note: 'No worker\npolls' }), layout);
    expect(state).toBe('! nightly  No worker polls');
  });

  test.each([20, 40, 80])('a terminal of %i columns → no line is wider, with colours', (columns) => {
    const attention = { operation: 'read', since: 1, message: 'x'.repeat(200) };
    const progress = batch({ total: 60_000, completed: 30_000, failed: 0 }, { attention });
    const lines = rowLines(row(progress, { workflowId: 'n'.repeat(9) }), {
      ...layout,
      columns,
      paint: inColour,
    });
    for (const line of lines) {
      expect(line).toContain('\u001B[');
      expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(columns);
    }
  });
});

describe('how much of a run is done', () => {
  test('a bulk → requests whose batches have ended, and those that were answered under way', () => {
    const bulk = {
      lines: { succeeded: 50, failed: 5, unfinished: 0, missing: 0 },
      underWay: { total: 40, completed: 9, failed: 1, asOf: 0 },
      sent: [{ round: 1, requests: 100, reasons: {} }],
    } as never;
    expect(amountOf(bulk)).toEqual({ done: 65, total: 100 });
    expect(amountOf({ ...(bulk as object), sent: [], underWay: null } as never)).toBeNull();
  });

  test('a fine-tuning job → steps, once their number is known', () => {
    expect(amountOf({ steps: { done: 3, total: 9 } } as never)).toEqual({ done: 3, total: 9 });
    expect(amountOf({ steps: { done: 3, total: null } } as never)).toBeNull();
  });
});
