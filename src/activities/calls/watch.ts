/**
 * Waiting without history. One look at a job: it returns when something changed, and otherwise fails as benign with the time of
 * the next look. Attempts of an activity are not events, so a batch that is polled all day adds nothing to the history.
 */
import { activityInfo, log } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { Operation } from '../../provider/error-table.js';
import { pollInterval, type PollBounds } from './poll-interval.js';
import type { Sighting, WatchInput } from '../../contract/activities/jobs.js';
import { failure } from '../../contract/failures.js';
import type { JobSnapshot } from '../../contract/snapshots.js';
import type { StatusRules } from '../../contract/status.js';
import type { ProviderApi, Reply } from './provider-api.js';

export interface Look<T extends JobSnapshot> {
  readonly statuses: StatusRules;
  readonly operation: Operation;
  readonly read: () => Promise<Reply<T>>;
  /** Whether the job changed in another way than its status. */
  readonly hasNews?: (job: T) => boolean;
  /** One phrase on how far the job is, such as `37 of 60 done`, and the same as data. */
  readonly describe: (job: T) => Promise<{ text: string; data: Record<string, unknown> }>;
}

export async function watchJob<T extends JobSnapshot>(
  api: ProviderApi,
  bounds: PollBounds,
  input: WatchInput,
  look: Look<T>,
): Promise<Sighting<T>> {
  // The server's clock, not the worker's: on the time-skipping server only that one moves.
  const nowMs = activityInfo().currentAttemptScheduledTimestampMs;
  const at = Math.floor(nowMs / 1_000);
  const delay = pollInterval(
    { minMs: input.poll.minMs ?? bounds.minMs, maxMs: input.poll.maxMs ?? bounds.maxMs },
    { nowMs, createdAtMs: inMs(input.createdAt), expiresAtMs: inMs(input.expiresAt) },
    Math.random(),
  );

  const { value: job, error } = await look.read().catch((unreadable: unknown) => {
    throw pastHope(unreadable, input, at);
  });
  if (error?.status === 404) {
    if (input.missingSince === null) return { kind: 'missing', at };
    if (nowMs - input.missingSince * 1_000 >= input.vanishedAfterMs) return { kind: 'vanished', at };
    throw nothingNew('missing at the provider (404)', { status: input.status, checkedAt: at }, delay);
  }
  if (error) throw pastHope(api.failure(look.operation, error), input, at);

  if (look.statuses.isEnd(job.status)) return { kind: 'changed', job, at };
  if (input.stuckAt !== null && at >= input.stuckAt) return { kind: 'stuck', job, at };
  const isStale = look.statuses.isStepBack(input.status, job.status);
  if (isStale) log.warn('A stale read is ignored', { jobId: input.id, known: input.status, read: job.status });
  const isNews = !isStale && (job.status !== input.status || (look.hasNews?.(job) ?? false));
  if (isNews || input.missingSince !== null) return { kind: 'changed', job, at };

  const { text, data } = await look.describe(job);
  throw nothingNew(`${input.status}, ${text}`, { status: input.status, ...data, checkedAt: at }, delay);
}

/** Nobody retries for longer than the job can live: an outage that outlasts it ends the run. */
function pastHope(error: unknown, input: WatchInput, at: number): unknown {
  if (!(error instanceof ApplicationFailure) || error.nonRetryable) return error;
  if (input.stuckAt === null || at < input.stuckAt) return error;
  const { id: jobId, status, stuckAt: since } = input;
  const message = `${jobId} was ${status} when it was last seen, and cannot be read since it should have ended: ${error.message}`;
  return failure('JobStuck', message, { jobId, status, since, result: null });
}

const inMs = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1_000);

function nothingNew(
  what: string,
  data: { status: string; checkedAt: number } & Record<string, unknown>,
  delayMs: number,
): ApplicationFailure {
  const message = `${what}; next look in ${Math.max(1, Math.round(delayMs / 1_000))} s`;
  const benign = failure('NothingNew', message, data, {
    category: ApplicationFailureCategory.BENIGN,
    nextRetryDelay: delayMs,
  });
  // The UI shows the stack, which is meaningless for "nothing new".
  benign.stack = '';
  return benign;
}
