import { setTimeout as sleep } from 'node:timers/promises';

/**
 * What the work returns, if that is in time.
 *
 * @param who the subject of the error message
 * @throws Error if the work takes longer. The work continues, but its result is ignored
 */
export async function within<T>(ms: number, who: string, work: () => Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = async (): Promise<never> => {
    await sleep(ms, undefined, { signal: timer.signal });
    throw new Error(`${who} did not answer within ${ms / 1_000} s`);
  };
  try {
    return await Promise.race([work(), late()]);
  } finally {
    timer.abort();
  }
}
