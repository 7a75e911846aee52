import { jittered, randomFor } from '../random.js';

/** How long a fine-tuning job takes, in milliseconds on the clock. Each duration varies by ± `jitter` of itself. */
export interface FineTuningTiming {
  /** Checking the files. @default 42_000 (20–65 s in the field) */
  readonly validatingMs: number;
  /** Waiting for a machine, also after a pause. @default 120_000 */
  readonly queuedMs: number;
  /** Training over all steps. @default 1_200_000 */
  readonly runningMs: number;
  /** @default 0.3 */
  readonly jitter: number;
}

export const DEFAULT_FINE_TUNING_TIMING: FineTuningTiming = {
  validatingMs: 42_000,
  queuedMs: 120_000,
  runningMs: 1_200_000,
  jitter: 0.3,
};

/** The durations of one job, drawn at its creation. */
export interface FineTuningPlan {
  /** Epoch ms. */
  readonly createdAt: number;
  readonly validatingMs: number;
  readonly queuedMs: number;
  readonly runningMs: number;
}

export function planJob(timing: FineTuningTiming, key: number, seed: number, createdAt: number): FineTuningPlan {
  const random = randomFor(seed, 'job-plan', key);
  const draw = (ms: number): number => jittered(ms, timing.jitter, random);
  return {
    createdAt,
    validatingMs: draw(timing.validatingMs),
    queuedMs: draw(timing.queuedMs),
    runningMs: draw(timing.runningMs),
  };
}
