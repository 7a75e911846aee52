/** Small jobs at a provider that misbehaves, on the time-skipping server. */
import { afterEach } from 'vitest';
import type { BatchSpec, FineTuningSpec } from '../../src/index.js';
import type { LocalApiOptions } from '../../src/testing/index.js';
import { HOUR, MINUTE } from '../../dev/stage/timing.js';
import { endpoint } from './runs.js';
import { chatExamples, chatRequests } from './samples.js';
import { timeSkippingStage, type StageOptions } from './stage.js';

/** Jobs of an hour or two. Without jitter, so that a test knows their status at any time. */
const TIMING = {
  batches: { validatingMs: MINUTE, inProgressMs: HOUR, finalizingMs: MINUTE, cancellingMs: MINUTE, jitter: 0 },
  fineTuning: { validatingMs: MINUTE, queuedMs: MINUTE, runningMs: 2 * HOUR, jitter: 0 },
} as const;

export interface FaultStageOptions extends StageOptions {
  /** Requests of each batch. */
  readonly requests: number;
  /** Time between two polls. */
  readonly pollEvery: string;
}

/** A stage, and functions that start jobs on it. Faults and scenarios are removed after each test. */
export function faultStage({ requests, pollEvery, api, ...options }: FaultStageOptions) {
  const timing: LocalApiOptions = {
    batches: { ...TIMING.batches, ...api?.batches },
    fineTuning: { ...TIMING.fineTuning, ...api?.fineTuning },
  };
  const stage = timeSkippingStage({ ...options, api: { ...api, ...timing } });
  afterEach(() => {
    stage.api.faults.clear();
    stage.api.scenarios.clear();
  });
  const poll = { min: pollEvery, max: pollEvery };
  return {
    stage,
    startBatch: (more: Partial<BatchSpec> = {}) =>
      stage.jobs.startBatch({ input: { requests: chatRequests(requests) }, endpoint, poll, ...more }),
    startFineTuning: async (more: Partial<FineTuningSpec> = {}) => {
      const trainingFile = { uri: await stage.write(chatExamples(10)) };
      return stage.jobs.startFineTuning({ model: 'gpt-4o-mini-2024-07-18', trainingFile, poll, ...more });
    },
  };
}
