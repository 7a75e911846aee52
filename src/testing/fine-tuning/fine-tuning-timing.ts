import { jittered } from '../random.js';

/** How long a fine-tuning job takes, in milliseconds on the API's clock. */
export interface FineTuningTiming {
  /** Checking the files. @default 42_000 (20–65 s in the field) */
  readonly validatingMs: number;
  /** Waiting for a machine, also after a pause. @default 120_000 */
  readonly queuedMs: number;
  /** Training over all steps. @default 1_200_000 */
  readonly runningMs: number;
  /** The share by which each duration varies in both directions, by seed. @default 0.3 */
  readonly jitter: number;
}

/** How long fine-tuning jobs take by default. */
export const DEFAULT_FINE_TUNING_TIMING: FineTuningTiming = {
  validatingMs: 42_000,
  queuedMs: 120_000,
  runningMs: 1_200_000,
  jitter: 0.3,
};

/** The durations of one fine-tuning job, drawn at its creation. */
export interface FineTuningPlan {
  readonly validatingMs: number;
  readonly queuedMs: number;
  readonly runningMs: number;
}

/** @param random the source of the jitter */
export function planFineTuning(timing: FineTuningTiming, random: () => number): FineTuningPlan {
  const draw = (ms: number): number => jittered(ms, timing.jitter, random);
  return {
    validatingMs: draw(timing.validatingMs),
    queuedMs: draw(timing.queuedMs),
    runningMs: draw(timing.runningMs),
  };
}
