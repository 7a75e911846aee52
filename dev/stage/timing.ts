/** How fast time passes on a stage, and how long the local API takes for a job. */
import type { BatchTiming, FineTuningTiming } from '../../src/testing/index.js';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** Speed of a `scaledClock` on which an hour of the API lasts a second. */
export const HOUR_PER_SECOND = 3_600;

/** A batch of half a day. Without jitter, so that a test knows its status at any time. */
export const BATCH_TIMING = {
  validatingMs: 10 * MINUTE,
  inProgressMs: 4 * HOUR,
  finalizingMs: 20 * MINUTE,
  cancellingMs: 8 * MINUTE,
  jitter: 0,
} as const satisfies Partial<BatchTiming>;

/** Jobs of less than three hours, which last as many seconds at an hour per second. */
export const SHORT_JOBS = {
  batches: {
    validatingMs: 20 * MINUTE,
    inProgressMs: 2 * HOUR,
    finalizingMs: 20 * MINUTE,
    cancellingMs: 20 * MINUTE,
    jitter: 0,
  },
  fineTuning: { validatingMs: 20 * MINUTE, queuedMs: 20 * MINUTE, runningMs: 2 * HOUR, jitter: 0 },
} as const satisfies { batches: Partial<BatchTiming>; fineTuning: Partial<FineTuningTiming> };

/** A batch that is completed when it is first read. */
export const IMMEDIATE_BATCH = { validatingMs: 0, inProgressMs: 0, finalizingMs: 0, jitter: 0 } as const;
