import { describe, expect, test } from 'vitest';
import { ago, listText, progressText, type Shown } from '../../../src/cli/progress-text.js';
import type { ListedRun } from '../../../src/client.js';

const NOW = 1_700_000_000;

const common = {
  phase: 'waiting',
  jobId: 'batch_1',
  status: 'in_progress',
  lastCheckedAt: NOW - 12,
  watchedBy: null,
  cancelRequested: false,
  cancellation: null,
  attention: null,
  warnings: [],
} as const;

const shown = (progress: object, kind: Shown['kind'] = 'batch'): Shown => ({
  workflowId: 'nightly',
  kind,
  runStatus: 'RUNNING',
  progress: { ...common, ...progress } as never,
  failure: null,
});

describe('progress of a run as text', () => {
  test('a batch → only what there is to say', () => {
    const progress = { counts: { total: 60, completed: 37, failed: 1 }, expiresAt: NOW, waitingFor: null };
    expect(progressText(shown(progress), NOW)).toEqual([
      'nightly (batch)',
      '  run        running, waiting',
      '  job        batch_1',
      '  status     in_progress',
      '  progress   38 of 60 answered, 1 failed',
      '  checked    12 s ago',
      '  expires    2023-11-14T22:13:20Z',
    ]);
  });

  test('what needs a person → the refusal, the cancel and the warnings', () => {
    const progress = {
      steps: { done: 3, total: null },
      attention: { since: NOW, operation: 'read', message: '401 Incorrect API key' },
      cancellation: { by: 'signal', reason: 'too dear', at: NOW },
      warnings: ['one', 'two'],
    };
    expect(progressText(shown(progress, 'fineTuning'), NOW)).toEqual([
      'nightly (fine-tune)',
      '  run        running, waiting',
      '  job        batch_1',
      '  status     in_progress',
      '  progress   step 3',
      '  checked    12 s ago',
      '  cancel     requested by signal at 2023-11-14T22:13:20Z: too dear',
      '  refused    read since 2023-11-14T22:13:20Z: 401 Incorrect API key',
      '  warning    one',
      '  warning    two',
    ]);
  });

  test('a failed run → why, and what to do next', () => {
    const failure = { message: 'BatchFailed: no such model', whatNext: 'Correct it.' };
    const progress = { counts: { total: 0, completed: 0, failed: 0 }, expiresAt: null, waitingFor: null };
    expect(progressText({ ...shown(progress), failure }, NOW).slice(-2)).toEqual([
      '  failed     BatchFailed: no such model',
      '  what next  Correct it.',
    ]);
  });

  test('a bulk → round, parts and how its requests ended', () => {
    const progress = {
      jobId: null,
      lastCheckedAt: null,
      round: 2,
      isPaused: true,
      parts: { total: 9, waiting: 1, running: 3, done: 5 },
      lines: { succeeded: 500, failed: 2 },
      waitingFor: 'room',
    };
    expect(progressText(shown(progress, 'bulkBatch'), NOW)).toEqual([
      'nightly (bulk)',
      '  run        running, waiting',
      '  status     in_progress',
      '  progress   round 2, 5 of 9 parts, 3 running, paused: 500 succeeded, 2 failed',
      '  waits for  room',
    ]);
  });
});

test.each([
  [-3, '0 s ago'],
  [59, '59 s ago'],
  [61, '1 min ago'],
  [7_300, '2 h ago'],
  [200_000, '2 d ago'],
])('%i s → %s', (seconds, text) => {
  expect(ago(seconds)).toBe(text);
});

test('a list → columns that line up', () => {
  const run: ListedRun = {
    kind: 'fineTuning',
    workflowId: 'a',
    runId: 'r',
    status: 'RUNNING',
    startedAt: new Date((NOW - 120) * 1_000),
    closedAt: null,
    state: 'running',
    jobId: 'ftjob-1',
    model: 'gpt-4o-mini',
    job: { id: 'ftjob-1', status: 'running', counts: null, steps: { done: 1, total: 9 }, lastCheckedAt: NOW },
  };
  const other: ListedRun = {
    ...run,
    kind: 'bulkBatch',
    workflowId: 'nightly-2026',
    state: null,
    jobId: null,
    job: null,
  };
  const ended: ListedRun = { ...other, workflowId: 'x', status: 'COMPLETED', state: 'completed_with_failures' };
  expect(listText([run, other, ended], NOW)).toEqual([
    'WORKFLOW ID   KIND       RUN        JOB      STATUS                   PROGRESS     STARTED',
    'a             fine-tune  running    ftjob-1  running                  step 1 of 9  2 min ago',
    'nightly-2026  bulk       running                                                   2 min ago',
    'x             bulk       completed           completed_with_failures               2 min ago',
  ]);
});
