/**
 * What is known of the attempts of a create: which may have created a job, and whether a request of theirs may still be
 * under way. An attempt hands it to the next one in its heartbeat details.
 */
import { activityInfo, log } from '@temporalio/activity';
import { z } from 'zod';
import type { JobSnapshot } from '../../contract/snapshots.js';
import { newSearch, searchProgressSchema, type SearchProgress } from './keyed-jobs.js';
import { endOfLastAttempt } from './runs.js';

/**
 * How long after its start a run counts as one that began a moment ago, and a task as one that came at once. A job of it
 * can exist only if this attempt creates it. Later, Temporal may have been restored from a backup that is older than
 * the job: the attempt is the first one again.
 */
const MOMENT_MS = 20_000;

const entrySchema = z.object({
  /** The attempt that wrote this. */
  attempt: z.number(),
  /** Whether that attempt has ended, so that its own outcome is counted. */
  hasEnded: z.boolean(),
  /** Number of attempts that may have created a job. */
  withUnknownOutcome: z.number(),
  /** Whether the request of an attempt that ended without a word may still be under way. */
  mayBeUnderWay: z.boolean(),
  /** Whether a search for the job is still to be made, although no attempt may have created it. */
  isSearchDue: z.boolean(),
  search: searchProgressSchema,
});
type Entry = z.output<typeof entrySchema>;

export class CreateLedger<T extends JobSnapshot> {
  /** Number of earlier attempts that may have created a job, and of creates of the run before its reset. */
  withUnknownOutcome: number;
  /**
   * Whether the request of an attempt that ended without a word (its worker died, or was cut off from Temporal) may
   * still be under way.
   */
  mayBeUnderWay: boolean;
  /** Whether this attempt may have created a job: from the moment the request is sent until a clear refusal. */
  mayHaveCreated = false;
  /** Whether a search is due because Temporal may have forgotten an attempt. */
  isSearchDue: boolean;
  search: SearchProgress<T>;
  #hasEnded = false;

  constructor(entry: Pick<Entry, 'withUnknownOutcome' | 'mayBeUnderWay' | 'isSearchDue' | 'search'>) {
    this.withUnknownOutcome = entry.withUnknownOutcome;
    this.mayBeUnderWay = entry.mayBeUnderWay;
    this.isSearchDue = entry.isSearchDue;
    this.search = entry.search as SearchProgress<T>;
  }

  /** Whether the job must be looked for before it is created. */
  get mayExist(): boolean {
    return this.withUnknownOutcome > 0 || this.isSearchDue;
  }

  /** A search has read the list to its end. */
  hasSearched(): void {
    this.isSearchDue = false;
    this.search = newSearch();
  }

  /** The attempt has failed: its outcome counts from now on. */
  end(): void {
    this.#hasEnded = true;
  }

  /** For the heartbeat. */
  details(): Entry {
    const { withUnknownOutcome, mayBeUnderWay, isSearchDue, search } = this;
    return {
      attempt: activityInfo().attempt,
      hasEnded: this.#hasEnded,
      withUnknownOutcome: withUnknownOutcome + (this.#hasEnded && this.mayHaveCreated ? 1 : 0),
      mayBeUnderWay,
      isSearchDue,
      search,
    };
  }
}

/**
 * The ledger of this attempt.
 *
 * @param startedAt when the run started, in epoch seconds
 * @param afterReset whether an earlier run of the workflow (before a reset) may have created the job
 */
export async function openLedger<T extends JobSnapshot>(
  startedAt: number,
  afterReset: boolean,
): Promise<CreateLedger<T>> {
  const { attempt, heartbeatDetails, scheduledTimestampMs, currentAttemptScheduledTimestampMs } = activityInfo();
  const isFirst = currentAttemptScheduledTimestampMs <= scheduledTimestampMs;
  const entry = entrySchema.safeParse(heartbeatDetails).data ?? {
    attempt: 0,
    hasEnded: true,
    withUnknownOutcome: afterReset ? 1 : 0,
    mayBeUnderWay: false,
    isSearchDue: isFirst && hasPassed(startedAt * 1_000),
    search: newSearch<T>(),
  };
  const isSearchDue = entry.isSearchDue || hasPassed(currentAttemptScheduledTimestampMs);
  // After an operator has reset the activity, its attempts are counted from 1 again.
  const isRestarted = attempt <= entry.attempt || (attempt === 1 && !isFirst);
  const withoutWord = isRestarted ? 1 : attempt - 1 - entry.attempt + (entry.hasEnded ? 0 : 1);
  if (withoutWord === 0) return new CreateLedger({ ...entry, isSearchDue });
  const mayBeUnderWay = entry.mayBeUnderWay || (await endOfLastAttempt()) !== 'failure';
  const withUnknownOutcome = entry.withUnknownOutcome + withoutWord;
  log.info('An earlier attempt of the create did not record its outcome', { withUnknownOutcome, mayBeUnderWay });
  return new CreateLedger({ ...entry, withUnknownOutcome, mayBeUnderWay, isSearchDue });
}

/** Whether more than a moment has passed since then, by the clocks of Temporal and of the worker. */
function hasPassed(sinceMs: number): boolean {
  return Math.max(Date.now(), activityInfo().currentAttemptScheduledTimestampMs) - sinceMs > MOMENT_MS;
}
