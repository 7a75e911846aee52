/**
 * Waiting without history. Each attempt of the activity polls the job once, or sees that others watch it. It returns
 * when the job has changed, and otherwise fails as benign with the delay of the next attempt. Attempts are not events,
 * so a batch that is polled all day adds nothing to the history.
 */
import { activityInfo, log } from '@temporalio/activity';
import type { Sighting, WatchInput } from '../../contract/activities/jobs.js';
import type { JobSnapshot } from '../../contract/snapshots.js';
import type { JobKind } from '../../provider/job-kinds.js';
import type { ActivityContext } from '../runtime/context.js';
import { notRetried } from '../runtime/patience.js';
import { retrieveJob } from './jobs.js';
import { nothingNew } from './nothing-new.js';
import { pollInterval } from './poll-interval.js';
import type { ProviderApi } from './provider-api.js';
import { keepWatched, sleepWhileWatched } from './sleep.js';

/** A hint may be ahead of what the provider answers, so the job is polled so often before the run sleeps again. */
const POLLS_AFTER_HINT = 5;
const FIRST_POLL_AFTER_HINT_MS = 2_000;

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
  context: ActivityContext,
  api: ProviderApi,
  input: WatchInput,
  { kind, hasChanged, describe }: JobWatch<T>,
): Promise<Sighting<T>> {
  // The server's clock instead of the worker's: in the time-skipping test server it is the only one that is moved.
  const nowMs = activityInfo().currentAttemptScheduledTimestampMs;
  const at = Math.floor(nowMs / 1_000);
  const mustReport = input.reportFrom !== null && at >= input.reportFrom;
  const { watchedBy = null } = input;
  const maySleep = watchedBy !== null && !mustReport && !input.isHinted;
  const sleepMs = maySleep ? await sleepWhileWatched(context, api, kind.name, { ...input, watchedBy }) : null;

  const { value: job, error } = await retrieveJob(kind, api, input.id);
  const nextPollMs = sleepMs ?? nextPoll(context, input, nowMs);
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
  // A run that sleeps is woken when its job enters another stage, so it may know more than the input says.
  if ((isChanged && sleepMs === null) || input.isMissing) return { kind: 'changed', job, at };
  const isHintSpent = input.isHinted === true && activityInfo().attempt >= POLLS_AFTER_HINT;
  if (isHintSpent && watchedBy !== null) await keepWatched(context, api, kind.name, { ...input, watchedBy });
  if (mustReport || isHintSpent) return { kind: 'unchanged', job: isStale ? null : job, at };

  const { text, data } = await describe(job);
  throw nothingNew(`${job.status}, ${text}`, { status: job.status, ...data, checkedAt: at }, nextPollMs);
}

function nextPoll({ poll }: ActivityContext, input: WatchInput, nowMs: number): number {
  const { attempt } = activityInfo();
  if (input.isHinted) return FIRST_POLL_AFTER_HINT_MS * 2 ** (attempt - 1);
  const bounds = { minMs: input.poll.minMs ?? poll.minMs, maxMs: input.poll.maxMs ?? poll.maxMs };
  const times = { nowMs, createdAtMs: toMsOrNull(input.createdAt), expiresAtMs: toMsOrNull(input.expiresAt) };
  return pollInterval(bounds, times, Math.random());
}

const toMsOrNull = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1_000);
