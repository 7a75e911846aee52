/** The API that the demo runs against unless it is told otherwise: the local API, on a clock that runs fast. */
import { HOUR, HOUR_PER_SECOND, MINUTE } from '../../dev/stage/timing.js';
import { LocalApi, scaledClock } from '../../src/testing/index.js';

/** @param speed hours of its time in each second: with 1, a day takes 24 */
export function startSimulatedApi(speed: number): Promise<LocalApi> {
  return LocalApi.start({
    clock: scaledClock(speed * HOUR_PER_SECOND),
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
