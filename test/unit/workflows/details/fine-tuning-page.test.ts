import { expect, test } from 'vitest';
import type { FineTuningProgress } from '../../../../src/contract/fine-tuning.js';
import { fineTuningPage, type ShownFineTuning } from '../../../../src/workflows/details/fine-tuning-page.js';
import { describeRun } from '../../../../src/workflows/details/run-page.js';

const START = 1_700_000_000;
const PROGRESS: FineTuningProgress = {
  phase: 'waiting',
  status: 'running',
  jobId: 'ftjob_1',
  lastCheckedAt: START + 100,
  watchedBy: null,
  cancelRequested: false,
  cancellation: null,
  attention: null,
  warnings: [],
  steps: { done: 40, total: 100 },
  estimatedFinish: null,
};
const JOB: Omit<ShownFineTuning, 'progress'> = {
  phaseSince: START,
  runningSince: START,
  result: null,
  method: 'supervised',
  spec: { model: 'gpt-4o-mini', provider: 'default' },
};

function pageOf(progress: Partial<FineTuningProgress>, job: Partial<ShownFineTuning> = {}): string {
  const shown = { ...JOB, ...job, progress: { ...PROGRESS, ...progress } };
  const { phase } = shown.progress;
  return describeRun(
    { phase, cancellation: null, attention: null, warnings: [], failure: null },
    fineTuningPage(shown),
  );
}

test('running → the steps, and the end at the rate so far unless the provider names one', () => {
  expect(pageOf({})).toContain(
    '\n\n████░░░░░░ 40 / 100 steps, as of 2023-11-14T22:15:00Z\n\n- **Expected end:** 2023-11-14T22:17:30Z, at the rate so far\n',
  );
  expect(pageOf({ estimatedFinish: START })).toContain(
    '- **Expected end:** 2023-11-14T22:13:20Z, says the provider\n- **Base',
  );
  expect(pageOf({ steps: { done: 7, total: null } })).toContain('\n\nstep 7, as of');
});

test.each([
  ['queued', 'the job waits for its turn, which may take hours'],
  ['paused', 'the job is paused. Update `resume` lets it go on'],
])('%s → why it lasts', (status, expected) => {
  expect(pageOf({ status, steps: null })).toContain(`**Waiting for the provider:** ${expected}. `);
});

test('succeeded → the new model and what it took', () => {
  const events = { uri: 'file:///r/events.jsonl', bytes: 1, sha256: '0', lines: 12 };
  const result = { fineTunedModel: 'ft:gpt-4o-mini:x', trainedTokens: 1_234, checkpoints: [], events };
  expect(pageOf({ phase: 'done', status: 'succeeded' }, { result })).toBe(
    [
      '### Fine-tuning job `ftjob_1`: `succeeded`',
      '',
      '- **New model:** `ft:gpt-4o-mini:x`',
      '- **Trained tokens:** 1,234',
      '- **Events:** `file:///r/events.jsonl` (12 lines)',
      '- **Base model:** `gpt-4o-mini`',
      '- **Method:** `supervised`',
      '- **Provider:** `default`',
    ].join('\n'),
  );
});
