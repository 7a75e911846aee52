/** What is done with jobs of either kind at the provider: they are read, steered, and found by their key. */
import { log } from '@temporalio/activity';
import { JOB_KEY } from '../../contract/job-key.js';
import type { JobSnapshot } from '../../contract/snapshots.js';
import type { JobKind } from '../../provider/job-kinds.js';
import { parseReply, type ProviderApi, type Reply } from './provider-api.js';
import type { JobSearch } from '../../contract/activities/jobs.js';
import type { KeyedJobs } from './create-once.js';
import { listAll } from './list-all.js';

/** A reply with status 200 that is no job throws: it may have been carried out, so a retry looks before it creates. */
export function parseJob<T extends JobSnapshot>(
  { name, schema }: JobKind<T>,
  operation: 'create' | 'retrieve',
  outcome: Reply<unknown>,
): Reply<T> {
  return outcome.error ? outcome : { value: parseReply(`${name}.${operation}`, schema, outcome.value) };
}

export async function retrieve<T extends JobSnapshot>(
  kind: JobKind<T>,
  api: ProviderApi,
  id: string,
): Promise<Reply<T>> {
  return parseJob(kind, 'retrieve', await api.attempt((client) => kind.retrieve(client, id)));
}

/**
 * Cancels, pauses or resumes. A refusal because the job has ended (409, 400) answers with the job as it is; null if it is gone, which
 * the watch deals with.
 */
export async function changeJob<T extends JobSnapshot>(
  kind: JobKind<T>,
  api: ProviderApi,
  action: 'cancel' | 'pause' | 'resume',
  id: string,
): Promise<T | null> {
  const operation = kind.name === 'batches' ? 'batches.cancel' : (`fineTuning.${action}` as const);
  const { value, error } = await api.attempt<unknown>((client) =>
    kind.name === 'batches' ? client.batches.cancel(id) : client.fineTuning.jobs[action](id),
  );
  if (!error) return parseReply(operation, kind.schema, value);
  const failure = api.failure(operation, error);
  if (error.status === 404 && action === 'cancel' && failure.nonRetryable) return null;
  if (error.status !== 409 && error.status !== 400) throw failure;
  const current = await retrieve(kind, api, id);
  if (current.error?.status === 404) return null;
  if (current.error) throw api.failure(`${kind.name}.retrieve`, current.error);
  const { status } = current.value;
  if (!kind.statuses.isEnd(status)) {
    // A person asked to pause or resume and gets the reason; a cancel only stops the wait if there is nothing to wait for.
    if (action !== 'cancel') throw failure;
    log.warn('The provider refused to cancel; the wait goes on', { jobId: id, status, code: error.code });
  }
  return current.value;
}

/** How the jobs that carry the key are found and stopped. */
export function keyedJobs<T extends JobSnapshot>(kind: JobKind<T>, api: ProviderApi, search: JobSearch): KeyedJobs<T> {
  return {
    api,
    find: () => findByKey(kind, api, search),
    isEnd: kind.statuses.isEnd,
    cancel: (id) => changeJob(kind, api, 'cancel', id),
  };
}

/** Newest first, back to the time of the first try. */
async function findByKey<T extends JobSnapshot>(
  kind: JobKind<T>,
  api: ProviderApi,
  { key, notBefore }: JobSearch,
): Promise<T[]> {
  const found: T[] = [];
  const query = { limit: kind.pageSize, ...kind.filter(key) };
  for await (const object of listAll(api, `${kind.name}.list`, kind.path, query)) {
    const reading = kind.schema.safeParse(object);
    if (!reading.success) continue;
    const { createdAt } = reading.data.timestamps;
    if (createdAt !== null && createdAt < notBefore) break;
    if (reading.data.metadata[JOB_KEY] === key) found.push(reading.data);
  }
  return found;
}
