import { isCancellation, sleep } from '@temporalio/workflow';
import type { CreatedOnce } from '../../activities/calls/create-once.js';
import type { RunControl } from './run-control.js';

/** A list at the provider may lag behind a create. */
const LIST_LAG = '10s';

/**
 * Creates a job unless a cancel comes first. A cancel in the middle of the create leaves it open whether there is a job, so it
 * is looked for: a job that exists must be cancelled, not forgotten.
 *
 * @returns null when there is no job
 */
export async function createInterruptibly<T>(
  run: RunControl,
  create: () => Promise<CreatedOnce<T>>,
  find: (isOpen: boolean) => Promise<T | null>,
): Promise<{ readonly job: T; readonly mayHaveTwin: boolean } | null> {
  if (run.cancellation) return null;
  run.enter('creating');
  let isOpen = false;
  try {
    const created = await run.untilCancelled(create);
    if (!created.interrupted) return created.value;
    ({ isOpen } = created);
  } catch (error) {
    if (!isCancellation(error)) throw error;
  }
  const found = await find(isOpen);
  if (found) return { job: found, mayHaveTwin: false };
  await sleep(LIST_LAG);
  const foundLater = await find(isOpen);
  return foundLater && { job: foundLater, mayHaveTwin: false };
}
