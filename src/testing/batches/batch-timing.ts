import { jittered, randomFor } from '../random.js';

/** How long a batch takes, in milliseconds on the clock. Each duration varies by ± `jitter` of itself, by seed. */
export interface BatchTiming {
  /** Reading and checking the input file. @default 15_000 */
  readonly validatingMs: number;
  /** Answering all requests; the counts rise over this time. @default 420_000 (7 min, the median seen in the field) */
  readonly inProgressMs: number;
  /** Writing the output files. @default 30_000 */
  readonly finalizingMs: number;
  /** From a cancel to its end; up to 10 min at OpenAI. @default 60_000 */
  readonly cancellingMs: number;
  /** From creation to expiry. @default the completion window, e.g. 24 h */
  readonly expiresAfterMs: number | undefined;
  /** @default 0.2 */
  readonly jitter: number;
}

export const DEFAULT_BATCH_TIMING: BatchTiming = {
  validatingMs: 15_000,
  inProgressMs: 420_000,
  finalizingMs: 30_000,
  cancellingMs: 60_000,
  expiresAfterMs: undefined,
  jitter: 0.2,
};

/** The plan of one batch: durations drawn once, at creation. */
export interface BatchPlan {
  /** Epoch ms, as all moments here. */
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly validatingMs: number;
  readonly inProgressMs: number;
  readonly finalizingMs: number;
  readonly cancellingMs: number;
}

/** Draws a plan. @param completionMs the completion window */
export function planBatch(
  timing: BatchTiming,
  id: string,
  seed: number,
  createdAt: number,
  completionMs: number,
): BatchPlan {
  const random = randomFor(seed, 'plan', id);
  const draw = (ms: number): number => jittered(ms, timing.jitter, random);
  return {
    createdAt,
    expiresAt: createdAt + (timing.expiresAfterMs ?? completionMs),
    validatingMs: draw(timing.validatingMs),
    inProgressMs: draw(timing.inProgressMs),
    finalizingMs: draw(timing.finalizingMs),
    cancellingMs: draw(timing.cancellingMs),
  };
}

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a completion window such as `24h` or `7d`. */
export function windowMs(window: string): number | undefined {
  const match = /^(\d+)([mhd])$/u.exec(window);
  return match === null ? undefined : Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}
