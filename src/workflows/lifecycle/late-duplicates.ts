import { condition } from '@temporalio/workflow';
import type { Duplicates } from '../../contract/activities/jobs.js';
import { messageOf } from './run-failures.js';
import type { RunControl } from './run-control.js';

/**
 * How long after the create the search for a duplicate runs at the latest. A create request times out after a minute;
 * one that the provider carried out at the very end of that minute is in its list after two.
 */
const SEARCH_AFTER = '2m';

/**
 * Waits for a job that an earlier attempt may also have created, with unknown outcome. The provider may carry out that
 * earlier request after every search so far, so one more search runs while the job does, or when the job has ended if
 * that is sooner.
 */
export async function cancellingLateDuplicates<T>(
  run: RunControl,
  cancelDuplicates: () => Promise<Duplicates>,
  wait: () => Promise<T>,
): Promise<T> {
  let hasEnded = false;
  const search = async () => {
    await condition(() => hasEnded, SEARCH_AFTER, { summary: 'Until the search for a late duplicate' });
    const { cancelled, ended } = await cancelDuplicates();
    for (const id of cancelled) run.warn(`Cancelled ${id}: a duplicate of this run's job, created late`);
    for (const { id, status } of ended) {
      run.warn(
        `${id} is a duplicate of this run's job, created late; it had already ended (${status}) and is paid for`,
      );
    }
  };
  const searched = search().catch((error: unknown) =>
    run.warn(`Could not search for a duplicate of this run's job: ${messageOf(error)}`),
  );
  try {
    return await wait();
  } finally {
    hasEnded = true;
    await searched;
  }
}
