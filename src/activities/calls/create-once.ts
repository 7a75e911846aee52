/**
 * Creating exactly once. The API has no idempotency header, so the create puts a key into the job's metadata. An
 * attempt that is not the first looks for the key before it creates: an earlier attempt's answer may have been lost or
 * its worker may have died, or the run may have been reset.
 */
import { activityInfo, log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import type { CreatedOnce, InterruptedCreate } from '../../contract/activities/jobs.js';
import { failure } from '../../contract/failures.js';
import type { JobSnapshot } from '../../contract/snapshots.js';
import { classify, isAmbiguous, type Operation } from '../../provider/error-table.js';
import type { ApiError, Reply } from '../../provider/reply.js';
import { withHeartbeat } from '../runtime/heartbeat.js';
import type { KeyedJobs } from './jobs.js';
import type { ProviderApi } from './provider-api.js';

/**
 * A list at the provider may lag behind a create: after a lost answer, wait this long before the next attempt looks.
 */
const LIST_LAG_MS = 5_000;

export interface CreateOnce<T extends JobSnapshot> extends KeyedJobs<T> {
  readonly operation: Operation;
  /** Whether an earlier run of this workflow (before a reset) may have created the job. */
  readonly mayExist: boolean;
  readonly onAmbiguousCreate: 'fail' | 'createAgain';
  /** What a person should look for at the provider if it cannot be known whether a create succeeded. */
  readonly lookFor: Readonly<Record<string, unknown>>;
  /** Throws the failure of a refusal that is known before the request is sent. */
  readonly beforeCreate?: () => Promise<void>;
  readonly create: () => Promise<Reply<T>>;
}

/** The creates before this attempt: those of earlier attempts, and that of an earlier run of the workflow. */
interface EarlierCreates {
  readonly exist: boolean;
  /** Number of those that may have created a job: their answer was lost, or their worker died. */
  readonly withUnknownOutcome: number;
}

/**
 * This attempt: it may have created a job from the moment the request is sent, unless the answer is a clear refusal.
 */
interface CreateAttempt {
  mayHaveCreated: boolean;
}

/** Heartbeat details, by which an attempt hands over to the next one what is known of all attempts so far. */
const heartbeatSchema = z.object({
  /** Attempts that certainly created no job. Each of the others may have created one. */
  attemptsWithoutJob: z.number(),
});
type CreateHeartbeat = z.output<typeof heartbeatSchema>;

export async function createOnce<T extends JobSnapshot>(request: CreateOnce<T>): Promise<CreatedOnce<T>> {
  const { attempt, heartbeatDetails } = activityInfo();
  let { attemptsWithoutJob } = heartbeatSchema.safeParse(heartbeatDetails).data ?? { attemptsWithoutJob: 0 };
  const creates = attempt - 1 + (request.mayExist ? 1 : 0);
  const earlier = { exist: creates > 0, withUnknownOutcome: creates - attemptsWithoutJob };
  const current = { mayHaveCreated: false };
  return withHeartbeat(
    async () => {
      try {
        return await adoptOrCreate(request, earlier, current);
      } catch (error) {
        if (!current.mayHaveCreated) attemptsWithoutJob += 1;
        throw error;
      }
    },
    (): CreateHeartbeat => ({ attemptsWithoutJob }),
  );
}

async function adoptOrCreate<T extends JobSnapshot>(
  request: CreateOnce<T>,
  earlier: EarlierCreates,
  current: CreateAttempt,
): Promise<CreatedOnce<T>> {
  const existing = await findExisting(request, earlier);
  if (existing) return { job: existing, adopted: true, mayHaveDuplicate: earlier.withUnknownOutcome > 1 };
  await request.beforeCreate?.();
  const created = await create(request, current);
  // Without metadata a duplicate cannot be found.
  if (!earlier.exist || !request.api.provider.metadata) {
    return { job: created, adopted: false, mayHaveDuplicate: false };
  }
  const kept = await keepOldest(request, created);
  return { job: kept, adopted: kept.id !== created.id, mayHaveDuplicate: earlier.withUnknownOutcome > 0 };
}

/** The job that an earlier create left; null if there is none. */
async function findExisting<T extends JobSnapshot>(request: CreateOnce<T>, earlier: EarlierCreates): Promise<T | null> {
  if (request.api.provider.metadata) {
    return earlier.exist ? (preferredFirst(await request.find())[0] ?? null) : null;
  }
  if (earlier.withUnknownOutcome > 0 && request.onAmbiguousCreate === 'fail') {
    throw ambiguousCreate(request, `${request.operation}: an earlier attempt got no answer`);
  }
  return null;
}

async function create<T extends JobSnapshot>(request: CreateOnce<T>, current: CreateAttempt): Promise<T> {
  current.mayHaveCreated = true;
  const { value, error } = await request.create();
  if (!error) return value;
  current.mayHaveCreated = isAmbiguous(error);
  throw createFailure(request, error);
}

/**
 * The provider may have carried out an earlier request after this attempt looked for its job. The oldest job stays; the
 * others are cancelled right away, before they have cost anything significant.
 */
async function keepOldest<T extends JobSnapshot>(request: CreateOnce<T>, created: T): Promise<T> {
  const listed = await request.find();
  // The list may not contain the newest job yet.
  const found = listed.some(({ id }) => id === created.id) ? listed : [...listed, created];
  const [kept = created] = preferredFirst(found);
  await cancelDuplicates({ ...request, find: async () => found }, kept.id);
  return kept;
}

/** The job of a create that was cancelled; null if there is none. */
export async function findInterrupted<T extends JobSnapshot>(
  operation: Operation,
  { api, find }: KeyedJobs<T>,
  { outcomeUnknown, lookFor, notBefore }: InterruptedCreate,
): Promise<T | null> {
  if (api.provider.metadata) return preferredFirst(await find())[0] ?? null;
  // Without metadata, only a create whose outcome is known is certain to have left no job.
  if (!outcomeUnknown) return null;
  const request = { api, operation, lookFor: { ...lookFor, createdSince: notBefore } };
  throw ambiguousCreate(request, `${operation}: the request was cancelled before its answer arrived`);
}

/** Cancels the jobs that carry the key, all but the one to keep. Returns their ids. */
export async function cancelDuplicates<T extends JobSnapshot>(jobs: KeyedJobs<T>, keptId: string): Promise<string[]> {
  const found = await jobs.find();
  const duplicates = found.filter(({ id, status }) => id !== keptId && !jobs.isEnd(status));
  for (const { id } of duplicates) {
    log.warn('Cancelling a duplicate job with the same key', { jobId: id, keptJobId: keptId });
    await jobs.cancel(id);
  }
  return duplicates.map(({ id }) => id);
}

/** Oldest first. Cancelled jobs come last, since they may be duplicates that an earlier attempt cancelled. */
function preferredFirst<T extends JobSnapshot>(jobs: T[]): T[] {
  const isCancelled = ({ status }: T) => Number(status.startsWith('cancel'));
  return jobs.toSorted(
    (a, b) =>
      isCancelled(a) - isCancelled(b) ||
      (a.timestamps.createdAt ?? 0) - (b.timestamps.createdAt ?? 0) ||
      (a.id < b.id ? -1 : 1),
  );
}

function createFailure<T extends JobSnapshot>(request: CreateOnce<T>, error: ApiError): ApplicationFailure {
  const { api, operation } = request;
  const cause = api.failure(operation, error);
  if (!isAmbiguous(error) || classify(operation, error, activityInfo().attempt) === 'refused') return cause;
  if (!api.provider.metadata && request.onAmbiguousCreate === 'fail') return ambiguousCreate(request, cause.message);
  return ApplicationFailure.create({
    type: cause.type ?? 'ApiUnavailable',
    message: cause.message,
    details: cause.details ?? [],
    nextRetryDelay: Math.max(LIST_LAG_MS, error.retryAfterMs ?? 0),
  });
}

function ambiguousCreate(
  { api, operation, lookFor }: { api: ProviderApi; operation: Operation; lookFor: Readonly<Record<string, unknown>> },
  reason: string,
): ApplicationFailure {
  const message =
    `${reason}. The job may exist, but provider "${api.provider.name}" keeps no metadata to find it by: ` +
    'look for the job there before starting again';
  return failure('AmbiguousCreate', message, { operation, lookFor });
}
