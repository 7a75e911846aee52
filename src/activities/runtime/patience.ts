/**
 * How long an activity is retried without an answer. Before there is a job it is retried without end. Afterwards the
 * workflow is told after a few attempts in a row, so that it can show what is wrong and decide how long to go on.
 */
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import type { Activities } from '../../contract/activities/index.js';
import { failure, withoutStack, type FailureType } from '../../contract/failures.js';
import { carryInHeartbeat, sendHeartbeat } from './heartbeat.js';

/** Attempts in a row without an answer after which the workflow is told. */
const PATIENCE: Partial<Record<keyof Activities, number>> = {
  watchBatch: 4,
  watchFineTuningJob: 4,
  cancelBatch: 4,
  cancelFineTuningJob: 4,
  cancelDuplicateBatches: 4,
  cancelDuplicateFineTuningJobs: 4,
  deleteFiles: 6,
  collectBatchResults: 10,
  collectFineTuningResults: 10,
  // It is retried without end, since every job of the account depends on it.
  sweepAccount: Infinity,
};

/**
 * The delay after the first attempt without an answer; it doubles. Temporal's own delay grows with all attempts, and
 * polls that found nothing new are attempts, too.
 */
const FIRST_DELAY_MS = 2_000;
const MAX_DELAY_MS = 120_000;

const UNANSWERED: ReadonlySet<unknown> = new Set<FailureType>([
  'ApiUnavailable',
  'StorageUnavailable',
  'UnexpectedError',
]);

/** The field of the heartbeat details that counts, beside those of the activity itself. */
const countSchema = z.object({ unanswered: z.number() });

/**
 * Runs one attempt of an activity and counts it if it ends without an answer. Attempts that never end count, too.
 *
 * @param attempt fails with an ApplicationFailure of a known type
 * @throws ApplicationFailure that is not retryable after too many attempts without an answer
 */
export async function withPatience<T>(activity: string, attempt: () => Promise<T>): Promise<T> {
  const limit = PATIENCE[activity as keyof Activities];
  if (limit === undefined) return attempt();
  const before = countSchema.safeParse(activityInfo().heartbeatDetails).data?.unanswered ?? 0;
  if (before >= limit) throw notRetried(neverEnded(activity, before));
  carryInHeartbeat({ unanswered: before + 1 });
  try {
    return await attempt();
  } catch (error) {
    const type = error instanceof ApplicationFailure ? error.type : null;
    // The shutdown of a worker says nothing of whoever should answer.
    const unanswered = UNANSWERED.has(type) ? before + 1 : type === 'WorkerStopped' ? before : 0;
    carryInHeartbeat({ unanswered });
    sendHeartbeat({ onlyIfSent: unanswered === before });
    if (unanswered === before || !(error instanceof ApplicationFailure) || unanswered === 0) throw error;
    throw unanswered >= limit ? notRetried(error) : retriedAfter(error, FIRST_DELAY_MS * 2 ** (unanswered - 1));
  }
}

/** The same failure, which Temporal does not retry: the workflow is told. */
export function notRetried({ type, message, details, cause }: ApplicationFailure): ApplicationFailure {
  return withoutStack(
    ApplicationFailure.create({
      type: type ?? 'UnexpectedError',
      message,
      nonRetryable: true,
      details: details ?? [],
      ...(cause && { cause }),
    }),
  );
}

/** The same failure with a delay, unless it names its own. */
function retriedAfter(error: ApplicationFailure, delayMs: number): ApplicationFailure {
  const { type, message, details, cause, nextRetryDelay, nonRetryable } = error;
  if (nonRetryable || nextRetryDelay !== undefined) return error;
  return withoutStack(
    ApplicationFailure.create({
      type: type ?? 'UnexpectedError',
      message,
      details: details ?? [],
      nextRetryDelay: Math.min(delayMs, MAX_DELAY_MS),
      ...(cause && { cause }),
    }),
  );
}

function neverEnded(activity: string, attempts: number): ApplicationFailure {
  const message = `no answer: ${attempts} attempts in a row never ended`;
  const none = { status: null, code: null, type: null, param: null, requestId: null };
  return failure('ApiUnavailable', message, { operation: activity, ...none });
}
