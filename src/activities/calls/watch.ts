/**
 * Waiting without history. One look at a job: it returns when something changed, and otherwise fails as benign with the time of
 * the next look. Attempts of an activity are not events, so a batch that is polled all day adds nothing to the history.
 */
import { activityInfo, log } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { Operation } from '../../provider/error-table.js';
import { pollInterval, type PollBounds } from './poll-interval.js';
import { isStepBack } from '../../contract/status.js';
import type { ProviderApi, Reply } from './provider-api.js';

/** What the workflow knows, so that the activity can tell a change. Times are epoch seconds. */
export interface WatchInput {
  readonly provider: string;
  readonly id: string;
  /** The status that the workflow knows. */
  readonly status: string;
  /** Since when the job is missing (404), if it is. */
  readonly missingSince: number | null;
  /** Milliseconds after which a missing job has vanished. */
  readonly vanishedAfterMs: number;
  /** When a job without an end counts as stuck; null for never. */
  readonly stuckAt: number | null;
  readonly createdAt: number | null;
  readonly expiresAt: number | null;
  /** Milliseconds; null for the worker's own. */
  readonly poll: { readonly minMs: number | null; readonly maxMs: number | null };
}

export type Sighting<T> =
  /** The job, with something new about it. */
  | { readonly kind: 'changed'; readonly job: T; readonly at: number }
  /** A 404 where there was a job. */
  | { readonly kind: 'missing'; readonly at: number }
  /** Missing for too long. */
  | { readonly kind: 'vanished'; readonly at: number }
  /** No end long after there should be one. */
  | { readonly kind: 'stuck'; readonly job: T; readonly at: number };

interface Watched {
  readonly status: string;
  readonly timestamps: { readonly createdAt: number | null };
}

export interface Look<T extends Watched> {
  readonly kind: 'batch' | 'fineTuning';
  readonly operation: Operation;
  readonly read: () => Promise<Reply<T>>;
  readonly isEnd: (status: string) => boolean;
  /** Whether the job changed in another way than its status. */
  readonly hasNews?: (job: T) => boolean;
  /** One phrase on how far the job is, such as `37 of 60 done`, and the same as data. */
  readonly describe: (job: T) => Promise<{ text: string; data: Record<string, unknown> }>;
}

export async function watchJob<T extends Watched>(
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

  if (look.isEnd(job.status)) return { kind: 'changed', job, at };
  if (input.stuckAt !== null && at >= input.stuckAt) return { kind: 'stuck', job, at };
  const isStale = isStepBack(look.kind, input.status, job.status);
  if (isStale) log.warn('A stale read is ignored', { jobId: input.id, known: input.status, read: job.status });
  const isNews = !isStale && (job.status !== input.status || (look.hasNews?.(job) ?? false));
  if (isNews || input.missingSince !== null) return { kind: 'changed', job, at };

  const { text, data } = await look.describe(job);
  throw nothingNew(`${input.status}, ${text}`, { status: input.status, ...data, checkedAt: at }, delay);
}

/** Nobody retries for longer than the job can live: an outage that outlasts it ends the run. */
function pastHope(failure: unknown, input: WatchInput, at: number): unknown {
  if (!(failure instanceof ApplicationFailure) || failure.nonRetryable) return failure;
  if (input.stuckAt === null || at < input.stuckAt) return failure;
  const { id: jobId, status, stuckAt: since } = input;
  return ApplicationFailure.create({
    type: 'JobStuck',
    message: `${jobId} was ${status} when it was last seen, and cannot be read since it should have ended: ${failure.message}`,
    nonRetryable: true,
    details: [{ jobId, status, since, result: null }],
  });
}

const inMs = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1_000);

function nothingNew(what: string, data: Record<string, unknown>, delayMs: number): ApplicationFailure {
  const failure = ApplicationFailure.create({
    type: 'NothingNew',
    message: `${what}; next look in ${Math.max(1, Math.round(delayMs / 1_000))} s`,
    category: ApplicationFailureCategory.BENIGN,
    nextRetryDelay: delayMs,
    details: [data],
  });
  // The UI shows it to people, and where in the code nothing happened is of no use to them.
  failure.stack = '';
  return failure;
}
