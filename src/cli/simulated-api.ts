/** The local API as `llm-jobs dev` and the demo run it: days of a provider in minutes. */
import type { LocalApi } from '../testing/index.js';
import { CommandError, EXIT_CODES } from './io.js';

const DAY_HOURS = 24;

/**
 * Starts the API of a provider that takes most of a day for a job. What takes it an hour passes in a fraction of a
 * second, while its times are those of this machine: pages that show both have one clock.
 *
 * @param hoursPerSecond how much faster it is than a provider
 * @throws CommandError if the packages are not installed that it is made of
 */
export async function startSimulatedApi(hoursPerSecond: number): Promise<LocalApi> {
  const { LocalApi: Api } = await testing();
  const hours = (count: number): number => (count * 1_000) / hoursPerSecond;
  return Api.start({
    batches: {
      validatingMs: hours(1.5),
      inProgressMs: hours(18),
      finalizingMs: hours(1.5),
      cancellingMs: hours(1.5),
      expiresAfterMs: hours(DAY_HOURS),
      jitter: 0.05,
    },
    fineTuning: { validatingMs: hours(2), queuedMs: hours(3), runningMs: hours(14), jitter: 0.05 },
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
