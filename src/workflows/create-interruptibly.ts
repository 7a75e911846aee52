import { isCancellation, sleep } from '@temporalio/workflow';
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
  create: () => Promise<{ job: T; adopted: boolean }>,
  find: () => Promise<T | null>,
): Promise<T | null> {
  if (run.cancellation) return null;
  run.enter('creating');
  try {
    const created = await run.untilCancelled(create);
    if (!created.interrupted) return created.value.job;
  } catch (error) {
    if (!isCancellation(error)) throw error;
  }
  const found = await find();
  if (found) return found;
  await sleep(LIST_LAG);
  return find();
}
