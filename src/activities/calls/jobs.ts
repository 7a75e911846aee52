/** Provider calls shared by batches and fine-tuning jobs. */
import { log } from '@temporalio/activity';
import type OpenAI from 'openai';
import type { CancelReply } from '../../contract/activities/jobs.js';
import type { JobSnapshot } from '../../contract/snapshots.js';
import type { Operation } from '../../provider/error-table.js';
import type { JobKind } from '../../provider/job-kinds.js';
import { parseReply, type ApiError, type Reply } from '../../provider/reply.js';
import type { ProviderApi } from './provider-api.js';

export async function retrieveJob<T extends JobSnapshot>(
  kind: JobKind<T>,
  api: ProviderApi,
  id: string,
): Promise<Reply<T>> {
  return parseReply(kind.schema, await api.attempt(`${kind.name}.retrieve`, (client) => kind.retrieve(client, id)));
}

/**
 * Cancels a job. One that has ended, or that is being cancelled already, needs no cancel; a 409 for one that still runs
 * says that it cannot be cancelled just now.
 *
 * @throws ApplicationFailure as the table of errors says, if the provider refuses although the job still runs
 */
export async function cancelJob<T extends JobSnapshot>(
  kind: JobKind<T>,
  api: ProviderApi,
  { id, isAgain }: { readonly id: string; readonly isAgain: boolean },
): Promise<CancelReply<T>> {
  const operation = `${kind.name}.cancel` as const;
  const needsNone = ({ status }: T) => kind.statuses.isEnd(status) || status.startsWith('cancel');
  if (isAgain) {
    const { value, error } = await retrieveJob(kind, api, id);
    if (value && needsNone(value)) return { job: value, isAccepted: true };
    if (error?.status === 404) return { job: null, isAccepted: false };
  }
  const { value, error } = parseReply(kind.schema, await api.attempt(operation, (client) => kind.cancel(client, id)));
  if (!error) return { job: value, isAccepted: true };
  if (error.status === 404) return { job: null, isAccepted: false };
  const job = await readRefusedJob(kind, api, id, operation, error);
  const isAccepted = job !== null && needsNone(job);
  if (isAccepted || job === null) return { job, isAccepted };
  if (error.status !== 409) throw api.failure(operation, error);
  log.warn('The job cannot be cancelled just now', { jobId: id, status: job.status, code: error.code });
  return { job, isAccepted };
}

/**
 * Pauses or resumes a job. Returns the job as it is then, or null if it is gone. One that has ended is left as it is;
 * any other refusal is thrown, so that the person who asked sees the reason.
 */
export async function changeJob<T extends JobSnapshot>(
  kind: JobKind<T>,
  api: ProviderApi,
  id: string,
  change: { readonly operation: Operation; readonly request: (client: OpenAI) => PromiseLike<unknown> },
): Promise<T | null> {
  const { value, error } = parseReply(kind.schema, await api.attempt(change.operation, change.request));
  if (!error) return value;
  const job = await readRefusedJob(kind, api, id, change.operation, error);
  if (job && !kind.statuses.isEnd(job.status)) throw api.failure(change.operation, error);
  return job;
}

/**
 * The job after the provider refused to change it, which may be because the job has ended (409 or 400); null if it is
 * gone.
 */
async function readRefusedJob<T extends JobSnapshot>(
  kind: JobKind<T>,
  api: ProviderApi,
  id: string,
  operation: Operation,
  refusal: ApiError,
): Promise<T | null> {
  if (refusal.status !== 409 && refusal.status !== 400) throw api.failure(operation, refusal);
  const { value, error } = await retrieveJob(kind, api, id);
  if (!error) return value;
  if (error.status === 404) return null;
  throw api.failure(`${kind.name}.retrieve`, error);
}
