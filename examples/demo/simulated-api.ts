/** The API that the demo runs against unless it is told otherwise: the local API, on a clock that runs fast. */
import { LocalApi, scaledClock } from '../../src/testing/index.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** How much faster its clock runs: an hour in a second, a day in 24. */
export const SPEED = 3_600;

export function startSimulatedApi(): Promise<LocalApi> {
  return LocalApi.start({
    clock: scaledClock(SPEED),
    batches: {
      validatingMs: 90 * MINUTE,
      inProgressMs: 18 * HOUR,
      finalizingMs: 90 * MINUTE,
      cancellingMs: 90 * MINUTE,
      jitter: 0.05,
    },
    fineTuning: { validatingMs: 2 * HOUR, queuedMs: 3 * HOUR, runningMs: 14 * HOUR, jitter: 0.05 },
  });
}
