/**
 * Waiting without history. Each attempt of the activity polls the job once. It returns when the job has changed, and
 * otherwise fails as benign with the delay of the next attempt. Attempts are not events, so a batch that is polled all
 * day adds nothing to the history.
 */
import { activityInfo, log } from '@temporalio/activity';
import type { Sighting, WatchInput } from '../../contract/activities/jobs.js';
import type { JobSnapshot } from '../../contract/snapshots.js';
import type { JobKind } from '../../provider/job-kinds.js';
import { notRetried } from '../runtime/patience.js';
import { retrieveJob } from './jobs.js';
import { nothingNew } from './nothing-new.js';
import { pollInterval, type PollBounds } from './poll-interval.js';
import type { ProviderApi } from './provider-api.js';

/** What one kind of job adds to a poll. */
export interface JobWatch<T extends JobSnapshot> {
  readonly kind: JobKind<T>;
  /**
   * Whether the job has changed although its status has not.
   * @default never
   */
  readonly hasChanged?: (job: T) => boolean;
  /** How far the job is: one phrase, such as `37 of 60 done`, and the same as data. */
  readonly describe: (job: T) => Promise<{ text: string; data: Record<string, unknown> }>;
}

export async function watchJob<T extends JobSnapshot>(
  api: ProviderApi,
  bounds: PollBounds,
  input: WatchInput,
  { kind, hasChanged, describe }: JobWatch<T>,
): Promise<Sighting<T>> {
  // The server's clock instead of the worker's: in the time-skipping test server it is the only one that is moved.
  const nowMs = activityInfo().currentAttemptScheduledTimestampMs;
  const at = Math.floor(nowMs / 1_000);
  const nextPollMs = pollInterval(
    { minMs: input.poll.minMs ?? bounds.minMs, maxMs: input.poll.maxMs ?? bounds.maxMs },
    { nowMs, createdAtMs: toMsOrNull(input.createdAt), expiresAtMs: toMsOrNull(input.expiresAt) },
    Math.random(),
  );

  const mustReport = input.reportFrom !== null && at >= input.reportFrom;

  const { value: job, error } = await retrieveJob(kind, api, input.id);
  if (error?.status === 404) {
    if (mustReport || !input.isMissing) return { kind: 'missing', at };
    throw nothingNew('missing at the provider (404)', { status: input.status, checkedAt: at }, nextPollMs);
  }
  if (error) {
    const unanswered = api.failure(`${kind.name}.retrieve`, error);
    throw mustReport ? notRetried(unanswered) : unanswered;
  }

  if (kind.statuses.isEnd(job.status)) return { kind: 'changed', job, at };
  const isStale = kind.statuses.isStepBack(input.status, job.status);
  if (isStale) log.warn('Ignoring a stale read', { jobId: input.id, known: input.status, read: job.status });
  const isChanged = !isStale && (job.status !== input.status || (hasChanged?.(job) ?? false));
  if (isChanged || input.isMissing) return { kind: 'changed', job, at };
  if (mustReport) return { kind: 'unchanged', job: isStale ? null : job, at };

  const { text, data } = await describe(job);
  throw nothingNew(`${input.status}, ${text}`, { status: input.status, ...data, checkedAt: at }, nextPollMs);
}

const toMsOrNull = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1_000);
