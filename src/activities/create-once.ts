/**
 * Creating exactly once. There is no idempotency header, so the create carries a key in the job's metadata, and whoever may
 * come second looks for the key before it creates: a retry after a lost answer or a dead worker, or a run after a reset.
 */
import { activityInfo, log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { isAmbiguous, judge, type ApiError, type Operation } from '../jobs/api-errors.js';
import type { Api, Outcome } from './api.js';
import { withHeartbeat } from './heartbeat.js';

/** A list at the provider may lag behind a create: after an answer that was lost, wait this long before looking. */
const LIST_LAG_MS = 5_000;

interface Created {
  readonly id: string;
  readonly timestamps: { readonly createdAt: number | null };
}

export interface CreateOnce<T extends Created> {
  readonly api: Api;
  readonly operation: Operation;
  /** An earlier run of this workflow (before a reset) may have created it. */
  readonly mayExist: boolean;
  readonly onAmbiguousCreate: 'fail' | 'createAgain';
  /** What a person should look for at the provider when it cannot be known whether a create succeeded. */
  readonly lookFor: Readonly<Record<string, unknown>>;
  /** All jobs that carry the key. */
  readonly find: () => Promise<T[]>;
  /** Throws the failure of a refusal that is known before the request is sent. */
  readonly beforeCreate?: () => Promise<void>;
  readonly create: () => Promise<Outcome<T>>;
  /** Stops a job that turned out to be a second one. */
  readonly cancel: (id: string) => Promise<unknown>;
}

/** What the attempts of one create hand on to each other by heartbeat. */
interface Trail {
  /** Attempts that ended without a job for certain. If it is less than the attempts made, one of them may have succeeded. */
  readonly settled: number;
}

export async function createOnce<T extends Created>(request: CreateOnce<T>): Promise<{ job: T; adopted: boolean }> {
  const { attempt, heartbeatDetails } = activityInfo();
  let trail: Trail = { settled: (heartbeatDetails as Trail | undefined)?.settled ?? 0 };
  const hasEarlierTries = attempt > 1 || request.mayExist;
  const isUnsettled = trail.settled < attempt - 1 || request.mayExist;

  return withHeartbeat(
    async () => {
      if (request.api.provider.metadata) {
        const [earlier] = hasEarlierTries ? await oldestOf(request) : [];
        if (earlier) return { job: earlier, adopted: true };
      } else if (isUnsettled && request.onAmbiguousCreate === 'fail') {
        throw ambiguousCreate(request, 'an earlier attempt ended without an answer');
      }
      await request.beforeCreate?.();
      const { value, error } = await request.create();
      if (error) {
        if (!isAmbiguous(error)) trail = { settled: attempt };
        throw refusal(request, error);
      }
      return hasEarlierTries && request.api.provider.metadata
        ? withoutStrays(request, value)
        : { job: value, adopted: false };
    },
    () => trail,
  );
}

/**
 * An earlier attempt's request may have been carried out after this attempt looked for it: the oldest stays, others are
 * cancelled at once, before they have cost anything to speak of.
 */
async function withoutStrays<T extends Created>(
  request: CreateOnce<T>,
  created: T,
): Promise<{ job: T; adopted: boolean }> {
  const [oldest = created, ...strays] = await oldestOf(request);
  for (const stray of strays) {
    log.warn('A second job with the same key is cancelled', { jobId: stray.id, keptJobId: oldest.id });
    await request.cancel(stray.id);
  }
  return { job: oldest, adopted: oldest.id !== created.id };
}

async function oldestOf<T extends Created>(request: CreateOnce<T>): Promise<T[]> {
  const found = await request.find();
  return found.toSorted(
    (a, b) => (a.timestamps.createdAt ?? 0) - (b.timestamps.createdAt ?? 0) || (a.id < b.id ? -1 : 1),
  );
}

function refusal<T extends Created>(request: CreateOnce<T>, error: ApiError): ApplicationFailure {
  const { api, operation } = request;
  const failure = api.failure(operation, error);
  if (!isAmbiguous(error) || judge(operation, error, activityInfo().attempt) === 'refused') return failure;
  if (!api.provider.metadata && request.onAmbiguousCreate === 'fail') return ambiguousCreate(request, failure.message);
  return ApplicationFailure.create({
    type: failure.type ?? 'ApiUnavailable',
    message: failure.message,
    details: failure.details ?? [],
    nextRetryDelay: Math.max(LIST_LAG_MS, error.retryAfterMs ?? 0),
  });
}

function ambiguousCreate<T extends Created>(request: CreateOnce<T>, why: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'AmbiguousCreate',
    message:
      `${request.operation}: ${why}, so the job may exist, and provider "${request.api.provider.name}" keeps no metadata ` +
      'to look for it. Look for the job there before starting again',
    nonRetryable: true,
    details: [{ operation: request.operation, lookFor: request.lookFor }],
  });
}
