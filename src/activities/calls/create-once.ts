/**
 * Creating exactly once. There is no idempotency header, so the create carries a key in the job's metadata, and whoever may
 * come second looks for the key before it creates: a retry after a lost answer or a dead worker, or a run after a reset.
 */
import { activityInfo, log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { isAmbiguous, classify, type ApiError, type Operation } from '../../provider/error-table.js';
import type { CreatedOnce, InterruptedCreate } from '../../contract/activities/jobs.js';
import { failure } from '../../contract/failures.js';
import type { JobSnapshot } from '../../contract/snapshots.js';
import type { ProviderApi, Reply } from './provider-api.js';
import { withHeartbeat } from '../runtime/heartbeat.js';

/** A list at the provider may lag behind a create: after an answer that was lost, wait this long before looking. */
const LIST_LAG_MS = 5_000;

/** How the jobs of one run are found, and how one too many is stopped. */
export interface KeyedJobs<T extends JobSnapshot> {
  readonly api: ProviderApi;
  /** All jobs that carry the key. */
  readonly find: () => Promise<T[]>;
  readonly isEnd: (status: string) => boolean;
  readonly cancel: (id: string) => Promise<unknown>;
}

export interface CreateOnce<T extends JobSnapshot> extends KeyedJobs<T> {
  readonly operation: Operation;
  /** An earlier run of this workflow (before a reset) may have created it. */
  readonly mayExist: boolean;
  readonly onAmbiguousCreate: 'fail' | 'createAgain';
  /** What a person should look for at the provider when it cannot be known whether a create succeeded. */
  readonly lookFor: Readonly<Record<string, unknown>>;
  /** Throws the failure of a refusal that is known before the request is sent. */
  readonly beforeCreate?: () => Promise<void>;
  readonly create: () => Promise<Reply<T>>;
}

/** What the attempts of one create hand on to each other by heartbeat. */
interface Trail {
  /** Attempts that ended without a job for certain. If it is less than the attempts made, one of them may have succeeded. */
  readonly settled: number;
}

export async function createOnce<T extends JobSnapshot>(request: CreateOnce<T>): Promise<CreatedOnce<T>> {
  const { attempt, heartbeatDetails } = activityInfo();
  let trail: Trail = { settled: (heartbeatDetails as Trail | undefined)?.settled ?? 0 };
  const unsettled = attempt - 1 - trail.settled + (request.mayExist ? 1 : 0);
  const hasEarlierTries = attempt > 1 || request.mayExist;
  const { metadata } = request.api.provider;
  let isCertain = true;

  const once = async (): Promise<CreatedOnce<T>> => {
    if (metadata) {
      const [earlier] = hasEarlierTries ? bestFirst(await request.find()) : [];
      if (earlier) return { job: earlier, adopted: true, mayHaveDuplicate: unsettled > 1 };
    } else if (unsettled > 0 && request.onAmbiguousCreate === 'fail') {
      throw ambiguousCreate(request, 'an earlier attempt ended without an answer');
    }
    await request.beforeCreate?.();
    isCertain = false;
    const { value, error } = await request.create().catch((unreadable: unknown) => {
      throw unreadable instanceof ApplicationFailure ? ambiguousFailure(request, unreadable, null) : unreadable;
    });
    if (error) {
      isCertain = !isAmbiguous(error);
      throw refusal(request, error);
    }
    if (!hasEarlierTries || !metadata) return { job: value, adopted: false, mayHaveDuplicate: false };
    const job = await keepOldest(request, value);
    return { job, adopted: job.id !== value.id, mayHaveDuplicate: unsettled > 0 };
  };

  return withHeartbeat(
    () =>
      once().catch((error: unknown) => {
        if (isCertain) trail = { settled: trail.settled + 1 };
        throw error;
      }),
    () => trail,
  );
}

/** The job of a create that was cancelled, or null where there is none. Without metadata only a create in good order leaves none. */
export async function findInterrupted<T extends JobSnapshot>(
  operation: Operation,
  { api, find }: KeyedJobs<T>,
  { outcomeUnknown, lookFor, notBefore }: InterruptedCreate,
): Promise<T | null> {
  if (api.provider.metadata) return bestFirst(await find())[0] ?? null;
  if (!outcomeUnknown) return null;
  const request = { api, operation, lookFor: { ...lookFor, createdSince: notBefore } };
  throw ambiguousCreate(request, 'it was cancelled and ended without an answer');
}

/** Cancels what carries the key and is not the one job to keep; answers with the ids. */
export async function cancelDuplicates<T extends JobSnapshot>(twins: KeyedJobs<T>, keptId: string): Promise<string[]> {
  const found = await twins.find();
  const strays = found.filter(({ id, status }) => id !== keptId && !twins.isEnd(status));
  for (const { id } of strays) {
    log.warn('A second job with the same key is cancelled', { jobId: id, keptJobId: keptId });
    await twins.cancel(id);
  }
  return strays.map(({ id }) => id);
}

/**
 * An earlier attempt's request may have been carried out after this attempt looked for it: the oldest stays, others are
 * cancelled at once, before they have cost anything to speak of.
 */
async function keepOldest<T extends JobSnapshot>(request: CreateOnce<T>, created: T): Promise<T> {
  const listed = await request.find();
  // The list may not have the newest yet.
  const found = listed.some(({ id }) => id === created.id) ? listed : [...listed, created];
  const [kept = created] = bestFirst(found);
  await cancelDuplicates({ ...request, find: async () => found }, kept.id);
  return kept;
}

/** The oldest first, and behind the others those that were cancelled, which may have been strays. */
function bestFirst<T extends JobSnapshot>(jobs: T[]): T[] {
  const isCancelled = ({ status }: T) => Number(status.startsWith('cancel'));
  return jobs.toSorted(
    (a, b) =>
      isCancelled(a) - isCancelled(b) ||
      (a.timestamps.createdAt ?? 0) - (b.timestamps.createdAt ?? 0) ||
      (a.id < b.id ? -1 : 1),
  );
}

function refusal<T extends JobSnapshot>(request: CreateOnce<T>, error: ApiError): ApplicationFailure {
  const { api, operation } = request;
  const refused = api.failure(operation, error);
  if (!isAmbiguous(error) || classify(operation, error, activityInfo().attempt) === 'refused') return refused;
  return ambiguousFailure(request, refused, error.retryAfterMs);
}

/** It is not known whether there is a job now. */
function ambiguousFailure<T extends JobSnapshot>(
  request: CreateOnce<T>,
  cause: ApplicationFailure,
  retryAfterMs: number | null,
): ApplicationFailure {
  if (!request.api.provider.metadata && request.onAmbiguousCreate === 'fail') {
    return ambiguousCreate(request, cause.message);
  }
  return ApplicationFailure.create({
    type: cause.type ?? 'ApiUnavailable',
    message: cause.message,
    details: cause.details ?? [],
    nextRetryDelay: Math.max(LIST_LAG_MS, retryAfterMs ?? 0),
  });
}

function ambiguousCreate(
  request: Pick<CreateOnce<never>, 'api' | 'operation' | 'lookFor'>,
  why: string,
): ApplicationFailure {
  return failure(
    'AmbiguousCreate',
    `${request.operation}: ${why}, so the job may exist, and provider "${request.api.provider.name}" keeps no metadata ` +
      'to look for it. Look for the job there before starting again',
    { operation: request.operation, lookFor: request.lookFor },
  );
}
