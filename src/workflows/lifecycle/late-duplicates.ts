import { condition } from '@temporalio/workflow';
import { messageOf } from './run-failures.js';
import type { RunControl } from './run-control.js';

/** A request is given a minute to be answered; one that was carried out at the provider's end of it shows in the list by now. */
const LATEST = '2m';

/**
 * Waits for a job whose create had been tried before with an unknown outcome. The provider may carry that first request out late,
 * behind the back of every look so far, so there is one more while the job runs, or when it has ended if that is sooner.
 */
export async function cancellingLateDuplicates<T>(
  run: RunControl,
  cancelTwins: () => Promise<{ readonly cancelled: readonly string[] }>,
  wait: () => Promise<T>,
): Promise<T> {
  let hasEnded = false;
  const look = async () => {
    await condition(() => hasEnded, LATEST);
    const { cancelled } = await cancelTwins();
    for (const id of cancelled) run.warn(`${id} was a second job of this run, created late; it was cancelled`);
  };
  const looked = look().catch((error: unknown) =>
    run.warn(`Whether there is a second job of this run could not be seen: ${messageOf(error)}`),
  );
  try {
    return await wait();
  } finally {
    hasEnded = true;
    await looked;
  }
}
