/**
 * Creating exactly once. The API has no idempotency header, so the create puts a key into the job's metadata. An
 * attempt looks for the job before it creates one wherever there may be one already: an earlier attempt's answer may have
 * been lost or its worker may have died, the run or the activity may have been reset, or Temporal may have been restored
 * from a backup.
 */
import { activityInfo, cancellationSignal, log, sleep } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { CreatedOnce, Duplicates, InterruptedCreate } from '../../contract/activities/jobs.js';
import { failure } from '../../contract/failures.js';
import type { JobSnapshot } from '../../contract/snapshots.js';
import { classify, isAmbiguous, type Operation } from '../../provider/error-table.js';
import type { ApiError, Reply } from '../../provider/reply.js';
import { withHeartbeat } from '../runtime/heartbeat.js';
import { openLedger, type CreateLedger } from './create-ledger.js';
import { findInAttempts, type KeyedJobs } from './keyed-jobs.js';
import type { ProviderApi } from './provider-api.js';
import { isCurrentAttempt } from './runs.js';

/**
 * A list at the provider may lag behind a create: after a lost answer, wait this long before the next attempt looks.
 */
const LIST_LAG_MS = 5_000;

/**
 * An attempt that has taken longer than this may count as dead, so it asks Temporal before it creates. It is the
 * heartbeat time-out: a request of an attempt that counts as dead has been sent by the time when it does.
 */
const CERTAINLY_CURRENT_MS = 15_000;

/** How much longer than the time-out of a request it may be under way. */
const REQUEST_SLACK_MS = 5_000;

/** Attempts of a search that is made as a precaution only: then the job is created without it. */
const MAX_PRECAUTIONS = 5;

export interface CreateOnce<T extends JobSnapshot> extends KeyedJobs<T> {
  readonly operation: Operation;
  /** When the run started, in epoch seconds. */
  readonly startedAt: number;
  /** Whether an earlier run of this workflow (before a reset) may have created the job. */
  readonly mayExist: boolean;
  readonly onAmbiguousCreate: 'fail' | 'createAgain';
  /** What a person should look for at the provider if it cannot be known whether a create succeeded. */
  readonly lookFor: Readonly<Record<string, unknown>>;
  /** Throws the failure of a refusal that is known before the request is sent. */
  readonly beforeCreate?: () => Promise<void>;
  readonly create: () => Promise<Reply<T>>;
}

/** Whether the job is watched, is not known here. */
type Created<T> = Omit<CreatedOnce<T>, 'watchedBy'>;

export async function createOnce<T extends JobSnapshot>(request: CreateOnce<T>): Promise<Created<T>> {
  const startedMs = performance.now();
  const ledger = await openLedger<T>(request.startedAt, request.mayExist);
  return withHeartbeat(
    async () => {
      try {
        return await adoptOrCreate(request, ledger, startedMs);
      } catch (error) {
        ledger.end();
        throw withOutcome(error, request, ledger);
      }
    },
    () => ledger.details(),
  );
}

async function adoptOrCreate<T extends JobSnapshot>(
  request: CreateOnce<T>,
  ledger: CreateLedger<T>,
  startedMs: number,
): Promise<Created<T>> {
  const { withUnknownOutcome, mayExist } = ledger;
  if (mayExist) {
    if (ledger.mayBeUnderWay && request.canFind) await untilRequestsHaveEnded(request, ledger);
    const [existing, ...others] = await findExisting(request, ledger);
    if (existing) {
      return { job: existing, adopted: true, mayHaveDuplicate: withUnknownOutcome > 1 || others.length > 0 };
    }
  }
  await request.beforeCreate?.();
  await assertCurrent(request, startedMs);
  const created = await create(request, ledger);
  if (withUnknownOutcome === 0 || !request.canFind) return { job: created, adopted: false, mayHaveDuplicate: false };
  const kept = await keepOldest(request, created);
  return { job: kept, adopted: kept.id !== created.id, mayHaveDuplicate: true };
}

/** Waits until a request of an attempt that ended without a word has been answered or has timed out. */
async function untilRequestsHaveEnded<T extends JobSnapshot>(
  { api }: KeyedJobs<T>,
  ledger: CreateLedger<T>,
): Promise<void> {
  await sleep(api.provider.client.timeout + REQUEST_SLACK_MS);
  ledger.mayBeUnderWay = false;
}

/** The jobs that earlier creates left, the one to adopt first; none if there is none. */
async function findExisting<T extends JobSnapshot>(request: CreateOnce<T>, ledger: CreateLedger<T>): Promise<T[]> {
  const isAmbiguousCreate = ledger.withUnknownOutcome > 0 && request.onAmbiguousCreate === 'fail';
  let found: T[] = [];
  if (request.canFind) {
    try {
      // As a precaution, a look at what is new in the list is enough.
      const isWorthwhile = ledger.withUnknownOutcome > 0 || (await request.mayBeListed());
      found = isWorthwhile ? preferredFirst(await request.find(ledger.search)) : [];
    } catch (error) {
      if (!(error instanceof ApplicationFailure)) throw error;
      if (isAmbiguousCreate && error.nonRetryable) throw ambiguousCreate(request, error.message);
      if (ledger.withUnknownOutcome > 0 ? !error.nonRetryable : isPrecautionWorthwhile(error)) throw error;
      log.warn('Creating the job without a search for an earlier one', { reason: error.message });
    }
    const [unclear] = ledger.search.unclear;
    if (isAmbiguousCreate && found.length === 0 && unclear !== undefined) {
      throw ambiguousCreate(
        request,
        `${request.operation}: an earlier attempt got no answer, and ${unclear} may be its job`,
      );
    }
    ledger.hasSearched();
  }
  // Only metadata shows that there is no job: not every provider tells the input file of a job.
  if (found.length > 0 || request.api.provider.metadata || !isAmbiguousCreate) return found;
  throw ambiguousCreate(request, `${request.operation}: an earlier attempt got no answer`);
}

/** Whether a search that failed is tried again, although no attempt is known that may have created the job. */
function isPrecautionWorthwhile(error: ApplicationFailure): boolean {
  return !error.nonRetryable && activityInfo().attempt < MAX_PRECAUTIONS;
}

/**
 * Makes sure that no other attempt has taken over: then this one must not create a job any more.
 *
 * @throws ApplicationFailure `ApiUnavailable`, or the error of the call if Temporal cannot be reached
 */
async function assertCurrent({ operation }: { readonly operation: Operation }, startedMs: number): Promise<void> {
  if (performance.now() - startedMs < CERTAINLY_CURRENT_MS || (await isCurrentAttempt())) return;
  throw unavailable(operation, 'another attempt has taken over', 'attempt_replaced');
}

async function create<T extends JobSnapshot>(request: CreateOnce<T>, ledger: CreateLedger<T>): Promise<T> {
  ledger.mayHaveCreated = true;
  const { value, error } = await request.create();
  if (!error) return value;
  ledger.mayHaveCreated = isAmbiguous(error);
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
  await cancelOthers(request, found, kept.id);
  return kept;
}

/** The job of a create that was cancelled; null if there is none. */
export async function findInterrupted<T extends JobSnapshot>(
  operation: Operation,
  jobs: KeyedJobs<T>,
  { outcomeUnknown, lookFor, startedAt }: InterruptedCreate,
): Promise<T | null> {
  const { api, canFind } = jobs;
  const request = { api, operation, lookFor: { ...lookFor, createdSince: startedAt } };
  if (canFind) {
    const found = await findInAttempts(jobs).catch((error: unknown) => {
      const isRefused = error instanceof ApplicationFailure && error.nonRetryable;
      throw isRefused && outcomeUnknown ? ambiguousCreate(request, error.message) : error;
    });
    const [first] = preferredFirst(found);
    if (first) return first;
    if (api.provider.metadata) return null;
  }
  // Without metadata, only a create whose outcome is known is certain to have left no job.
  if (!outcomeUnknown) return null;
  throw ambiguousCreate(request, `${operation}: the request was cancelled before its answer arrived`);
}

/** Cancels the jobs of the run, all but the one to keep. */
export async function cancelDuplicates<T extends JobSnapshot>(jobs: KeyedJobs<T>, keptId: string): Promise<Duplicates> {
  return cancelOthers(jobs, await findInAttempts(jobs), keptId);
}

async function cancelOthers<T extends JobSnapshot>(
  jobs: KeyedJobs<T>,
  found: readonly T[],
  keptId: string,
): Promise<Duplicates> {
  const others = found.filter(({ id }) => id !== keptId);
  const running = others.filter(({ status }) => !jobs.isEnd(status));
  for (const { id } of running) {
    log.warn('Cancelling a duplicate of the job', { jobId: id, keptJobId: keptId });
    await jobs.cancel(id);
  }
  return {
    cancelled: running.map(({ id }) => id),
    ended: others.filter((job) => jobs.isEnd(job.status) && !isCheap(job)).map(({ id, status }) => ({ id, status })),
  };
}

/** Whether a job that has ended has certainly cost little: it failed, or was cancelled soon after it was created. */
const isCheap = ({ status }: JobSnapshot): boolean => status === 'failed' || isCancelled({ status });

const isCancelled = ({ status }: Pick<JobSnapshot, 'status'>): boolean => status.startsWith('cancel');

/** Oldest first. Cancelled jobs come last, since they may be duplicates that an earlier attempt cancelled. */
function preferredFirst<T extends JobSnapshot>(jobs: readonly T[]): T[] {
  return jobs.toSorted(
    (a, b) =>
      Number(isCancelled(a)) - Number(isCancelled(b)) ||
      (a.timestamps.createdAt ?? 0) - (b.timestamps.createdAt ?? 0) ||
      (a.id < b.id ? -1 : 1),
  );
}

function createFailure<T extends JobSnapshot>(request: CreateOnce<T>, error: ApiError): ApplicationFailure {
  const { api, operation, canFind } = request;
  const cause = api.failure(operation, error);
  if (!isAmbiguous(error) || classify(operation, error, activityInfo().attempt) === 'refused') return cause;
  if (!canFind && request.onAmbiguousCreate === 'fail') return ambiguousCreate(request, cause.message);
  return ApplicationFailure.create({
    type: cause.type ?? 'ApiUnavailable',
    message: cause.message,
    details: cause.details ?? [],
    nextRetryDelay: Math.max(LIST_LAG_MS, error.retryAfterMs ?? 0),
  });
}

/**
 * The error of the attempt. One that was cancelled must not hide that an earlier attempt may have created a job: then it
 * is not a cancellation.
 */
function withOutcome<T extends JobSnapshot>(error: unknown, request: CreateOnce<T>, ledger: CreateLedger<T>): unknown {
  if (error instanceof ApplicationFailure || !cancellationSignal().aborted) return error;
  if (ledger.withUnknownOutcome === 0 && !ledger.mayHaveCreated) return error;
  return unavailable(request.operation, 'cancelled while it was unknown whether the job exists', 'outcome_unknown');
}

function unavailable(operation: Operation, reason: string, code: string): ApplicationFailure {
  const details = { operation, status: null, code, type: null, param: null, requestId: null };
  return failure('ApiUnavailable', `${operation}: ${reason}`, details);
}

function ambiguousCreate(
  { api, operation, lookFor }: { api: ProviderApi; operation: Operation; lookFor: Readonly<Record<string, unknown>> },
  reason: string,
): ApplicationFailure {
  const { name, metadata } = api.provider;
  const why = metadata ? 'does not show it' : 'keeps no metadata to find it by';
  const message = `${reason}. The job may exist, but provider "${name}" ${why}: look for the job there before starting again`;
  return failure('AmbiguousCreate', message, { operation, lookFor });
}
