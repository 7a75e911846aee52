/** Provider calls shared by batches and fine-tuning jobs. */
import { log } from '@temporalio/activity';
import type OpenAI from 'openai';
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
  return parseReply(kind.schema, await api.attempt((client) => kind.retrieve(client, id)));
}

/**
 * Cancels a job. Returns the job as it is then, or null if it is gone. A refusal only warns: if the job has ended there
 * is nothing to cancel, and otherwise the run keeps waiting for its end.
 */
export async function cancelJob<T extends JobSnapshot>(
  kind: JobKind<T>,
  api: ProviderApi,
  id: string,
): Promise<T | null> {
  const operation = `${kind.name}.cancel` as const;
  const { value, error } = parseReply(kind.schema, await api.attempt((client) => kind.cancel(client, id)));
  if (!error) return value;
  if (error.status === 404 && api.failure(operation, error).nonRetryable) return null;
  const job = await readRefusedJob(kind, api, id, operation, error);
  if (job && !kind.statuses.isEnd(job.status)) {
    log.warn('The provider refused to cancel the job; waiting for its end', {
      jobId: id,
      status: job.status,
      code: error.code,
    });
  }
  return job;
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
  const { value, error } = parseReply(kind.schema, await api.attempt(change.request));
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
