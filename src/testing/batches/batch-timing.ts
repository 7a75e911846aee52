import { jittered } from '../random.js';

/** How long a batch takes, in milliseconds on the API's clock. */
export interface BatchTiming {
  /** Reading and checking the input file. @default 15_000 */
  readonly validatingMs: number;
  /** Answering all requests; the counts rise over this time. @default 420_000, the median in the field (7 min) */
  readonly inProgressMs: number;
  /** Writing the output files. @default 30_000 */
  readonly finalizingMs: number;
  /** From a cancel to the end; up to 10 min at OpenAI. @default 60_000 */
  readonly cancellingMs: number;
  /** From creation to expiry. @default the completion window, e.g. 24 h */
  readonly expiresAfterMs: number | undefined;
  /** The share by which each duration varies in both directions, by seed. @default 0.2 */
  readonly jitter: number;
}

/** How long batches take by default. */
export const DEFAULT_BATCH_TIMING: BatchTiming = {
  validatingMs: 15_000,
  inProgressMs: 420_000,
  finalizingMs: 30_000,
  cancellingMs: 60_000,
  expiresAfterMs: undefined,
  jitter: 0.2,
};

/** The durations of one batch, drawn at its creation. */
export interface BatchPlan {
  readonly validatingMs: number;
  readonly inProgressMs: number;
  readonly finalizingMs: number;
  readonly cancellingMs: number;
  /** Epoch ms. */
  readonly expiresAt: number;
}

/** @param random the source of the jitter @param expiresAt epoch ms */
export function planBatch(timing: BatchTiming, random: () => number, expiresAt: number): BatchPlan {
  const draw = (ms: number): number => jittered(ms, timing.jitter, random);
  return {
    validatingMs: draw(timing.validatingMs),
    inProgressMs: draw(timing.inProgressMs),
    finalizingMs: draw(timing.finalizingMs),
    cancellingMs: draw(timing.cancellingMs),
    expiresAt,
  };
}

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a completion window such as `24h` or `7d`. */
export function windowMs(completionWindow: string): number | undefined {
  const match = /^(\d+)([mhd])$/u.exec(completionWindow);
  return match === null ? undefined : Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}
