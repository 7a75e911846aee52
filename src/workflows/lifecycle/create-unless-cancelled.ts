import { isCancellation, sleep } from '@temporalio/workflow';
import type { CreatedOnce } from '../../contract/activities/jobs.js';
import type { RunControl } from './run-control.js';

/**
 * When the job of a create that was cancelled is looked for again, after the search before: a list at the provider may
 * lag, and a request that was cut off may be carried out late, up to a minute after it was sent.
 */
const SEARCHES = [
  { after: '10s', summary: 'Until the provider lists new jobs' },
  { after: '110s', summary: 'Until a request that was cut off is carried out' },
] as const;

/** A job that this run created or adopted. */
export type CreatedJob<Job> = Pick<CreatedOnce<Job>, 'job' | 'mayHaveDuplicate'> & Partial<CreatedOnce<Job>>;

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
  let found = await find(outcomeUnknown);
  for (const { after, summary } of SEARCHES) {
    if (found) break;
    await sleep(after, { summary });
    found = await find(outcomeUnknown);
  }
  return found && { job: found, mayHaveDuplicate: outcomeUnknown };
}
