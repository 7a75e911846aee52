/** The local API as `llm-jobs dev` and the demo run it: days of a provider in minutes. */
import type { LocalApi } from '../testing/index.js';
import { CommandError, EXIT_CODES } from './io.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * Starts the API of a provider that takes most of a day for a job.
 *
 * @param hoursPerSecond of its time
 * @throws CommandError if the packages are not installed that it is made of
 */
export async function startSimulatedApi(hoursPerSecond: number): Promise<LocalApi> {
  const { LocalApi: Api, scaledClock } = await testing();
  return Api.start({
    clock: scaledClock((hoursPerSecond * HOUR) / 1_000),
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

/** Its packages are optional, since workers and clients do without. */
async function testing() {
  try {
    return await import('../testing/index.js');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const message = 'the simulated API needs fastify and @fastify/multipart, which are not installed';
    const next = 'Install them: npm install --save-dev fastify @fastify/multipart';
    throw new CommandError(EXIT_CODES.usage, message, next, error);
  }
}
