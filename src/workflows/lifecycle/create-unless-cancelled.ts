import { isCancellation, sleep } from '@temporalio/workflow';
import type { CreatedOnce } from '../../contract/activities/jobs.js';
import type { RunControl } from './run-control.js';

/** How long a list at the provider may lag behind a create. */
const LIST_LAG = '10s';

/** A job that this run created or adopted. */
export type CreatedJob<Job> = Pick<CreatedOnce<Job>, 'job' | 'mayHaveDuplicate'>;

/**
 * Creates a job unless a cancel comes first. After a cancel during the create it is unknown whether there is a job, so
 * the run searches for one: a job that exists must be cancelled, not forgotten.
 *
 * @returns null when there is no job
 */
export async function createUnlessCancelled<Job>(
  run: RunControl,
  create: () => Promise<CreatedOnce<Job>>,
  find: (outcomeUnknown: boolean) => Promise<Job | null>,
): Promise<CreatedJob<Job> | null> {
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
  await sleep(LIST_LAG, { summary: 'Until the provider lists new jobs' });
  const foundLater = await find(outcomeUnknown);
  return foundLater && { job: foundLater, mayHaveDuplicate: false };
}
