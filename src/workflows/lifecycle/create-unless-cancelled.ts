import { isCancellation, sleep } from '@temporalio/workflow';
import type { CreatedOnce } from '../../contract/activities/jobs.js';
import type { RunControl } from './run-control.js';

/** A list at the provider may lag behind a create. */
const LIST_LAG = '10s';

/**
 * Creates a job unless a cancel comes first. A cancel in the middle of the create leaves it open whether there is a job, so it
 * is looked for: a job that exists must be cancelled, not forgotten.
 *
 * @returns null when there is no job
 */
export async function createUnlessCancelled<T>(
  run: RunControl,
  create: () => Promise<CreatedOnce<T>>,
  find: (outcomeUnknown: boolean) => Promise<T | null>,
): Promise<{ readonly job: T; readonly mayHaveDuplicate: boolean } | null> {
  if (run.cancellation) return null;
  run.enter('creating');
  let outcomeUnknown = false;
  try {
    const created = await run.untilCancelled(create);
    if (!created.interrupted) return created.value;
    ({ outcomeUnknown } = created);
  } catch (error) {
    if (!isCancellation(error)) throw error;
  }
  const found = await find(outcomeUnknown);
  if (found) return { job: found, mayHaveDuplicate: false };
  await sleep(LIST_LAG);
  const foundLater = await find(outcomeUnknown);
  return foundLater && { job: foundLater, mayHaveDuplicate: false };
}
