/**
 * Waiting for a job to end, the same for all kinds of jobs: watch it, ask to cancel it when that is requested, and give
 * up on a job that has vanished, is stuck, or is not answered for.
 */
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { CancelReply, Sighting, WatchInput } from '../../contract/activities/jobs.js';
import { failure } from '../../contract/failures.js';
import type { Attention } from '../../contract/progress.js';
import type { JobSnapshot } from '../../contract/snapshots.js';
import { toMs, type Duration } from '../../contract/duration.js';
import type { StatusRules } from '../../contract/status.js';
import { bounded } from '../../contract/text.js';
import { promptActivities, watchActivities, type WatchingActivities } from './activity-calls.js';
import { atMost } from './at-most.js';
import { Evidence } from './evidence.js';
import { recordWakeDelay } from './metrics.js';
import { growing, type Persistence } from './persistence.js';
import type { Interruptible, RunControl } from './run-control.js';
import { settling } from './settling.js';
import { iso, now } from './time.js';

/** How long a job may go on running after a cancel before the cancel is checked, and sent again if it was lost. */
const FIRST_CANCEL_CHECK_MS = 30_000;

/** How long a look waits for the answer to a cancel. */
const MAX_CANCEL_MS = 10_000;
const CANCEL_SUMMARY = 'Until the job is read, even if the cancel has no answer';

/** Status rules whose test for an end narrows the status. */
export interface EndingStatusRules<End extends string> extends StatusRules {
  readonly isEnd: (status: string) => status is End;
}

export interface WaitOptions<Job extends JobSnapshot, End extends string> {
  readonly provider: string;
  /** The job as it was created. */
  readonly job: Job;
  /** Workflow id of the watch that wakes the run when the job has begun or ended; null where the run must poll. */
  readonly watchedBy: string | null;
  readonly spec: {
    readonly vanishedAfter: Duration;
    readonly stuckAfter: Duration;
    readonly poll?: { readonly min?: Duration | undefined; readonly max?: Duration | undefined } | undefined;
  };
  readonly statuses: EndingStatusRules<End>;
  readonly persistence: Persistence;
  /** Epoch seconds; null where the provider reports none, or jobs of this kind do not expire. */
  readonly expiresAt: (job: Job) => number | null;
  readonly watch: (input: WatchInput, activities: WatchingActivities) => Promise<Sighting<Job>>;
  readonly cancel: (id: string, isAgain: boolean) => Promise<CancelReply<Job>>;
  /** Called with every new snapshot, and when it was read (epoch seconds). */
  readonly onSeen: (job: Job, at: number) => void;
}

export interface EndedJob<Job, End extends string> {
  readonly isStuck: false;
  readonly job: Job;
  readonly status: End;
}

/** A job without an end long after there should have been one. */
export interface StuckJob<Job> {
  readonly isStuck: true;
  readonly job: Job;
  /** Epoch seconds: when it counted as stuck, or since when there has been no answer. */
  readonly since: number;
  /** Why the run gives up, in a sentence. */
  readonly reason: string;
}

export class JobWait<Job extends JobSnapshot, End extends string> {
  readonly #run: RunControl;
  readonly #options: WaitOptions<Job, End>;
  #job: Job;
  #missing: { readonly since: number; readonly evidence: Evidence } | null = null;
  readonly #overdue: Evidence;
  readonly #watchedSince = now();
  /** Epoch seconds; null until the provider accepts a cancel. */
  #cancelAcceptedAt: number | null = null;
  /** Requests to cancel so far. */
  #asked = 0;
  #isAsking = false;
  #isCancelDue = false;
  /** Set when the provider has not answered any cancel for so long that the run gives up. */
  #unansweredCancel: Attention | null = null;
  #hasEnded = false;

  constructor(run: RunControl, options: WaitOptions<Job, End>) {
    this.#run = run;
    this.#options = options;
    this.#job = options.job;
    this.#overdue = new Evidence(toMs(options.spec.stuckAfter));
  }

  /** @throws `JobVanished` when the job is missing for longer than the spec's `vanishedAfter` */
  async untilEnd(): Promise<EndedJob<Job, End> | StuckJob<Job>> {
    this.see(this.#job, now());
    if (this.#isOver()) return this.#watchUntilEnd();
    // A cancel that gets no answer must not stop the looking: the job's end still counts.
    const cancelling = new CancellationScope();
    const cancelled = cancelling.run(() => this.#cancelWhenRequested()).catch(unlessCancellation);
    try {
      const ended = await this.#watchUntilEnd();
      if (!ended.isStuck) recordWakeDelay(this.#options.provider, ended.job, this.watchedBy);
      return ended;
    } finally {
      this.#hasEnded = true;
      cancelling.cancel();
      await cancelled;
      if (!this.#unansweredCancel) this.#options.persistence.forget('cancel');
    }
  }

  get watchedBy(): string | null {
    return this.#options.watchedBy;
  }

  #isOver(): boolean {
    return this.#hasEnded || this.#options.statuses.isEnd(this.#job.status);
  }

  /** Takes note of the job as a reply shows it, unless that is older than what is known. */
  see(job: Job, at: number): void {
    const { statuses, onSeen } = this.#options;
    const isOld = this.#isOver() || statuses.isStepBack(this.#job.status, job.status);
    if (isOld && job !== this.#job) return;
    this.#job = job;
    if (!statuses.isKnown(job.status)) {
      this.#run.warn(`Unknown status "${bounded(job.status, 60)}", treated as not terminal`);
    }
    onSeen(job, at);
  }

  async #watchUntilEnd(): Promise<EndedJob<Job, End> | StuckJob<Job>> {
    const { statuses } = this.#options;
    while (true) {
      await atMost(MAX_CANCEL_MS, CANCEL_SUMMARY, () => !this.#isCancelNext());
      const job = this.#job;
      const { status } = job;
      if (statuses.isEnd(status)) return { isStuck: false, job, status };
      if (this.#unansweredCancel) return this.#unanswered(this.#unansweredCancel);
      const stuck = this.#maySleep() ? await this.#sleep() : await this.#look(this.#watchInput());
      if (stuck) return stuck;
    }
  }

  /** Looks at the job until there is something new, a wake or a cancel. Returns the job if it is stuck. */
  async #look(input: WatchInput): Promise<StuckJob<Job> | null> {
    const watching = () => this.#options.watch(input, watchActivities);
    return this.#takeAnswer(() => this.#run.untilWokenOrCancelled(watching));
  }

  async #takeAnswer(ask: () => Promise<Interruptible<Sighting<Job>>>): Promise<StuckJob<Job> | null> {
    const { persistence } = this.#options;
    const { value: watched, unanswered } = await persistence.attempt('read', ask, ({ interrupted }) => !interrupted);
    if (!unanswered) return watched.interrupted ? null : this.#take(watched.value);
    this.#missing?.evidence.interrupt();
    if (unanswered.isGivenUp) return this.#unanswered(unanswered.attention);
    await persistence.pause('read');
    return null;
  }

  /** Whether nothing but an end is to be expected of the job, of which the watch tells. */
  #maySleep(): boolean {
    const { watchedBy, persistence } = this.#options;
    const due = this.#dueAt();
    const isQuiet = this.#missing === null && !persistence.isUnanswered('read') && !isCancelling(this.#job.status);
    return watchedBy !== null && isQuiet && this.#run.cancellation === null && (due === null || now() < due);
  }

  /**
   * One activity stays pending for as long as the run sleeps. When the run is woken it looks beside that activity, which
   * takes fewer events than to start it again.
   */
  async #sleep(): Promise<StuckJob<Job> | null> {
    const { watch, watchedBy } = this.#options;
    const scope = new CancellationScope();
    const sleeping = settling(scope.run(() => watch({ ...this.#watchInput(), watchedBy }, watchActivities)));
    while (true) {
      const slept = await this.#run.untilWokenOrCancelled(() => condition(() => sleeping.outcome !== null));
      const { outcome } = sleeping;
      if (outcome) return this.#takeAnswer(async () => ({ value: await outcome(), interrupted: false }));
      // The activity that is left is of no use after the end, and does no harm: to cancel it takes five events.
      if (this.#isOver()) return null;
      if (slept.interrupted && this.#run.cancellation === null) {
        const stuck = await this.#lookAfterHint();
        if (this.#isOver() || stuck) return stuck;
        if (this.#maySleep()) continue;
      }
      scope.cancel();
      return null;
    }
  }

  /** A hint that comes while the job is being read may be newer than what is read, so it is read again. */
  async #lookAfterHint(): Promise<StuckJob<Job> | null> {
    while (true) {
      let isInterrupted = false;
      const stuck = await this.#takeAnswer(async () => {
        const { watch, watchedBy } = this.#options;
        const watching = () => watch({ ...this.#watchInput(), watchedBy, isHinted: true }, watchActivities);
        const looked = await this.#run.untilWokenOrCancelled(watching);
        isInterrupted = looked.interrupted;
        return looked;
      });
      if (stuck || !isInterrupted || this.#isOver() || !this.#maySleep()) return stuck;
    }
  }

  /**
   * Reads the job now, for a person who waits.
   *
   * @throws ActivityFailure if the provider does not answer soon, or refuses
   */
  async lookNow(): Promise<void> {
    const input = { ...this.#watchInput(), reportFrom: 0 };
    const sighting = await this.#options.watch(input, promptActivities);
    if (sighting.kind === 'missing') this.#run.pollNow();
    else if (sighting.job) this.see(sighting.job, sighting.at);
    if (this.#isOver()) this.#run.pollNow();
  }

  /** @returns the job if it is stuck */
  #take(sighting: Sighting<Job>): StuckJob<Job> | null {
    if (sighting.kind === 'missing') {
      this.#takeMissing(sighting.at);
      return null;
    }
    this.#missing = null;
    if (sighting.job) this.see(sighting.job, sighting.at);
    // The provider may have lost the cancel (the job was missing, or it refused just then): send it again.
    if (sighting.kind === 'changed') this.#isCancelDue = !isCancelling(this.#job.status);
    const due = this.#dueAt();
    if (due === null || now() < due || this.#options.statuses.isEnd(this.#job.status)) return null;
    if (!this.#overdue.observe(Date.now(), due * 1_000)) return null;
    const { id, status } = this.#job;
    const since = due + Math.ceil(toMs(this.#options.spec.stuckAfter) / 1_000);
    const reason = `${id} is still ${status} at ${iso(now())}; it should have ended before ${iso(since)}`;
    return { isStuck: true, job: this.#job, since, reason };
  }

  #takeMissing(at: number): void {
    this.#missing ??= { since: at, evidence: new Evidence(toMs(this.#options.spec.vanishedAfter)) };
    this.#run.warn('The provider returned 404 for the job; polling continues');
    if (this.#missing.evidence.observe(Date.now())) throw vanished(this.#job, this.#missing.since);
  }

  #unanswered({ since, message }: Attention): StuckJob<Job> {
    const { id, status } = this.#job;
    const reason = `${id} has had no answer since ${iso(since)} (last known status: ${status}): ${message}`;
    return { isStuck: true, job: this.#job, since, reason };
  }

  /** Asks to cancel until the job ends: a cancel that is accepted but not carried out is sent again. */
  async #cancelWhenRequested(): Promise<void> {
    const { persistence, cancel } = this.#options;
    const isOver = () => this.#isOver();
    await condition(() => this.#run.cancellation !== null || isOver());
    if (isOver()) return;
    this.#run.enter('cancelling');
    while (!isOver()) {
      this.#isCancelDue = false;
      this.#isAsking = true;
      this.#asked += 1;
      const { value: reply, unanswered } = await persistence.attempt('cancel', () =>
        cancel(this.#job.id, this.#cancelAcceptedAt !== null),
      );
      this.#isAsking = false;
      if (isOver()) return;
      if (unanswered) {
        if (unanswered.isGivenUp) {
          this.#unansweredCancel = unanswered.attention;
          this.#run.pollNow();
          return;
        }
        await persistence.pause('cancel', isOver);
        continue;
      }
      this.#takeReply(reply);
      const summary = 'Until the cancel is checked, and sent again if it was lost';
      await atMost(growing(FIRST_CANCEL_CHECK_MS, this.#asked), summary, () => this.#isCancelDue || isOver());
    }
  }

  /** The poll under way sees the new status by itself, so only an end interrupts it. */
  #takeReply({ job, isAccepted }: CancelReply<Job>): void {
    if (isAccepted) this.#cancelAcceptedAt ??= now();
    if (job) this.see(job, now());
    if (this.#isOver()) this.#run.pollNow();
  }

  /** Whether a cancel is about to be sent, or under way. A look that waits for its answer is of more use. */
  #isCancelNext(): boolean {
    if (this.#run.cancellation === null || this.#isOver()) return false;
    if (this.#isAsking) return true;
    // After a refusal the cancel waits for a time of its own.
    return this.#asked === 0 || (this.#isCancelDue && !this.#options.persistence.isUnanswered('cancel'));
  }

  /**
   * Epoch seconds: the first moment at which the job should have ended; null without one. A moment before the run began
   * to watch, such as an expiry in the past, says nothing.
   */
  #dueAt(): number | null {
    const moments = [this.#options.expiresAt(this.#job), this.#cancelAcceptedAt].filter((moment) => moment !== null);
    return moments.length > 0 ? Math.max(Math.min(...moments), this.#watchedSince) : null;
  }

  #watchInput(): WatchInput {
    const { provider, spec, expiresAt } = this.#options;
    const { id, status, timestamps } = this.#job;
    return {
      provider,
      id,
      status,
      isMissing: this.#missing !== null,
      reportFrom: this.#reportFrom(),
      createdAt: timestamps.createdAt,
      expiresAt: expiresAt(this.#job),
      poll: { minMs: msOrNull(spec.poll?.min), maxMs: msOrNull(spec.poll?.max) },
    };
  }

  /** When a poll has to be reported even if it finds nothing new: waiting costs no history until it is of use. */
  #reportFrom(): number | null {
    if (this.#options.persistence.isUnanswered('read')) return 0;
    const { nextMs } = this.#missing?.evidence ?? this.#overdue;
    return nextMs === null ? (this.#missing ? 0 : this.#dueAt()) : nextMs / 1_000;
  }
}

function vanished({ id: jobId, status: lastStatus }: JobSnapshot, missingSince: number) {
  const message = `${jobId} has been missing at the provider since ${iso(missingSince)}`;
  return failure('JobVanished', message, { jobId, missingSince, lastStatus });
}

/** `cancelling`, or `cancel_requested` at some providers. */
const isCancelling = (status: string): boolean => status.startsWith('cancel');

const msOrNull = (duration: Duration | undefined): number | null => (duration === undefined ? null : toMs(duration));

function unlessCancellation(error: unknown): void {
  if (!isCancellation(error)) throw error;
}
