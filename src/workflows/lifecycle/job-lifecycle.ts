/**
 * The lifecycle of one job at the provider, whatever its kind: check the input, upload it, create the job, wait for its
 * end, collect the results, clean up. A subclass makes the calls of its kind; the order and the rules are here.
 */
import type {
  CancelReply,
  CreatedOnce,
  CreateOnceInput,
  Duplicates,
  JobSearch,
  Sighting,
  WatchInput,
} from '../../contract/activities/jobs.js';
import type { UploadFileInput } from '../../contract/activities/files.js';
import { failure } from '../../contract/failures.js';
import type { CommonProgress } from '../../contract/progress.js';
import { toMs } from '../../contract/duration.js';
import { runActivity, shortActivities, transferActivities, type WatchingActivities } from './activity-calls.js';
import { createUnlessCancelled, type CreatedJob } from './create-unless-cancelled.js';
import type { RunPage } from '../details/run-page.js';
import { showDetails } from './current-details.js';
import { identity } from './identity.js';
import { JobAttributes } from './job-attributes.js';
import type { CollectContext, InputFile, JobTypes } from './job-types.js';
import { answerLooks } from './look.js';
import { cancellingLateDuplicates } from './late-duplicates.js';
import { isUnanswered, Persistence } from './persistence.js';
import type { RunControl } from './run-control.js';
import { isRefusal, messageOf } from './run-failures.js';
import { now } from './time.js';
import { JobWait, type EndedJob, type EndingStatusRules, type StuckJob } from './wait-for-end.js';

/** The provider deletes an upload after 30 days: longer than any job takes, so that only a forgotten one expires. */
const INPUT_EXPIRES_AFTER_SECONDS = 30 * 24 * 60 * 60;

type Waited<T extends JobTypes> = EndedJob<T['job'], T['end']> | StuckJob<T['job']>;

export abstract class JobLifecycle<T extends JobTypes> {
  protected readonly spec: T['spec'];
  protected readonly run: RunControl;
  /** The job as last seen; null before it is created. */
  protected job: T['job'] | null = null;
  /** The files that this run uploaded, unlike those that were at the provider already. */
  protected readonly uploadedFileIds: string[] = [];
  protected uploaded: T['uploaded'] | null = null;
  protected collected: T['collected'] | null = null;
  readonly #identity = identity();
  readonly #attributes: JobAttributes;
  readonly #persistence: Persistence;
  /** While the job has not ended. */
  #wait: JobWait<T['job'], T['end']> | null = null;
  #lastCheckedAt: number | null = null;
  /** Whether a create failed with unknown outcome, so that a job may be running. */
  #isCreateAmbiguous = false;
  #ignoresCancel = false;
  readonly #show = (): void => showDetails(this.run, this.page());

  protected abstract readonly statuses: EndingStatusRules<T['end']>;

  constructor(spec: T['spec'], run: RunControl) {
    this.spec = spec;
    this.run = run;
    this.#attributes = new JobAttributes(spec.provider);
    run.onChange = this.#show;
    const look = () => this.#wait?.lookNow();
    answerLooks(run, look, () => this.progress());
    this.#persistence = new Persistence(run, {
      giveUpAfterMs: toMs(spec.giveUpAfter),
      dueAt: () => this.#shouldHaveEndedAt(),
    });
  }

  async execute(): Promise<T['result']> {
    this.#show();
    return this.#attributes.untilEnd(async () => {
      const result = await this.#fromInputToResult();
      // The clean-up follows the collection, and may warn too.
      return { ...result, warnings: [...this.run.warnings] };
    });
  }

  async #fromInputToResult(): Promise<T['result']> {
    let checked = await this.check();
    try {
      const isAdmitted = checked !== null && (await this.admit(checked));
      this.uploaded = isAdmitted ? await this.upload(checked!) : null;
      const created = (this.uploaded && (await this.#create(this.uploaded))) ?? (await this.#leftByEarlierRun());
      if (!created) return this.neverCreated(checked);
      const waited = await this.#waitForEnd(created);
      checked ??= await this.#checkInSpiteOfCancel();
      const collected = await this.#collect(waited, checked);
      if (waited.isStuck) throw this.#stuck(waited, collected);
      return this.resultOf(waited, collected);
    } finally {
      await this.#cleanUp();
    }
  }

  /** Null when a cancel came first. */
  protected abstract check(): Promise<T['checked'] | null>;

  /** Waits until the job may be submitted; false when a cancel came first. */
  protected async admit(_checked: T['checked']): Promise<boolean> {
    return true;
  }

  /** Null when a cancel came first. */
  protected abstract upload(checked: T['checked']): Promise<T['uploaded'] | null>;

  protected abstract create(uploaded: T['uploaded'], once: CreateOnceInput): Promise<CreatedOnce<T['job']>>;

  /** The file that the job is created from. */
  protected abstract inputFileId(uploaded: T['uploaded']): string;

  /** Searches for a job that an interrupted create or an earlier run left behind. */
  protected abstract find(
    uploaded: T['uploaded'] | null,
    search: JobSearch,
    outcomeUnknown: boolean,
  ): Promise<T['job'] | null>;

  protected abstract watch(input: WatchInput, activities: WatchingActivities): Promise<Sighting<T['job']>>;

  protected abstract cancel(id: string, isAgain: boolean): Promise<CancelReply<T['job']>>;

  /** Cancels every job of this run but the one of this id. */
  protected abstract cancelDuplicates(search: JobSearch, id: string): Promise<Duplicates>;

  /** When the provider ends the job, in epoch seconds; null where it does not say, or such jobs do not expire. */
  protected abstract expiresAt(job: T['job']): number | null;

  protected abstract collect(job: T['job'], context: CollectContext, checked: T['checked']): Promise<T['collected']>;

  /** What the failure of a stuck job names: the ids of its results at the provider. */
  protected abstract resultIds(job: T['job']): Readonly<Record<string, unknown>>;

  /** @throws the kind's failure where the job has failed */
  protected abstract resultOf(ended: EndedJob<T['job'], T['end']>, collected: T['collected']): T['result'];

  /** The result where a cancel came before there was a job: nothing was created and nothing was paid for. */
  protected abstract neverCreated(checked: T['checked'] | null): T['result'];

  /** The files at the provider that `cleanup` selects. A job that may still run needs its input. */
  protected abstract filesToDelete(mayStillRun: boolean): string[];

  protected abstract progress(): T['progress'];

  /** Null where it is not known, or there are several. */
  protected abstract modelOf(job: T['job'] | null): string | null;

  /** What the UI shows of the run, besides what it shows of every run. */
  protected abstract page(): RunPage;

  protected get commonProgress(): CommonProgress {
    const { phase, cancellation, attention, warnings } = this.run;
    return {
      phase,
      status: this.job?.status ?? 'not_created',
      jobId: this.job?.id ?? null,
      lastCheckedAt: this.#lastCheckedAt,
      watchedBy: this.#wait?.watchedBy ?? null,
      cancelRequested: cancellation !== null,
      cancellation,
      attention,
      warnings: [...warnings],
    };
  }

  /** Takes note of the job as a reply shows it, other than that of a poll. */
  protected see(job: T['job']): void {
    this.#wait?.see(job, now());
  }

  /** A file name at the provider or in storage that no other run uses. */
  protected filename(role: string): string {
    return this.#identity.filename(role);
  }

  /** Does the work unless a cancel is requested before or meanwhile, which makes it null. */
  protected async unlessCancelled<Value>(work: () => Promise<Value>): Promise<Value | null> {
    if (this.#ignoresCancel) return work();
    const done = await this.run.untilCancelled(work);
    return done.interrupted ? null : done.value;
  }

  /** Uploads a file unless it is at the provider already. Returns its id there, or null when a cancel came first. */
  protected async uploadFile(
    { fileId, file }: InputFile,
    purpose: UploadFileInput['purpose'],
    role: string,
    summary: string,
  ): Promise<string | null> {
    if (!file) return fileId;
    this.run.enter('uploading');
    const { notBefore, mayExist } = this.#identity;
    const uploaded = await this.unlessCancelled(() =>
      runActivity(transferActivities.uploadFile, summary, {
        provider: this.spec.provider,
        file,
        purpose,
        filename: this.filename(role),
        expiresAfterSeconds: INPUT_EXPIRES_AFTER_SECONDS,
        notBefore,
        mayExist,
      }),
    );
    if (!uploaded) return null;
    this.uploadedFileIds.push(uploaded.fileId);
    return uploaded.fileId;
  }

  async #create(uploaded: T['uploaded']): Promise<CreatedJob<T['job']> | null> {
    const { onAmbiguousCreate, poll, watch = poll ? 'job' : undefined } = this.spec;
    const { mayExist } = this.#identity;
    const search = this.#search(uploaded);
    this.#isCreateAmbiguous = true;
    const created = await createUnlessCancelled<T['job']>(
      this.run,
      () => this.create(uploaded, { ...search, mayExist, onAmbiguousCreate, watch }),
      (outcomeUnknown) => {
        const find = () => this.find(uploaded, search, outcomeUnknown);
        // There may be a job, so a refusal must not end the run.
        return outcomeUnknown ? this.#persistence.untilAnswered('search', find) : find();
      },
    ).catch((error: unknown) => {
      this.#isCreateAmbiguous = !isRefusal(error);
      throw error;
    });
    this.#isCreateAmbiguous = false;
    return created;
  }

  /**
   * The job of the run before a reset, where a cancel came before this run got to it: a reset applies the signals of the
   * earlier run again. Null if there is none.
   */
  async #leftByEarlierRun(): Promise<CreatedJob<T['job']> | null> {
    if (!this.#identity.mayExist || !this.run.cancellation) return null;
    const job = await this.find(this.uploaded, this.#search(this.uploaded), false);
    return job && { job, mayHaveDuplicate: true };
  }

  /** The results of a job that exists are accounted for against its input. */
  async #checkInSpiteOfCancel(): Promise<T['checked']> {
    this.#ignoresCancel = true;
    const checked = await this.check();
    if (!checked) throw new Error('The input was not checked');
    return checked;
  }

  #waitForEnd({ job, mayHaveDuplicate, watchedBy = null }: CreatedJob<T['job']>): Promise<Waited<T>> {
    this.run.enter('waiting');
    this.#attributes.created({ id: job.id, model: this.modelOf(job) });
    let isOver = false;
    const wait = async () => {
      this.#wait = new JobWait<T['job'], T['end']>(this.run, {
        provider: this.spec.provider,
        job,
        watchedBy,
        spec: this.spec,
        statuses: this.statuses,
        persistence: this.#persistence,
        expiresAt: (seen) => this.expiresAt(seen),
        watch: (input, activities) => this.watch(input, activities),
        cancel: (id, isAgain) => this.cancel(id, isAgain),
        onSeen: (seen, at) => {
          this.job = seen;
          this.#lastCheckedAt = at;
          this.#show();
        },
      });
      try {
        return await this.#wait.untilEnd();
      } finally {
        isOver = true;
      }
    };
    if (!mayHaveDuplicate) return wait();
    const cancelDuplicates = () => this.cancelDuplicates(this.#search(this.uploaded), job.id);
    return cancellingLateDuplicates(
      this.run,
      () => this.#persistence.untilAnswered('search', cancelDuplicates, () => isOver),
      wait,
    );
  }

  /** When the job should have ended, in epoch seconds; null where it has ended, or where nothing says when it will. */
  #shouldHaveEndedAt(): number | null {
    if (!this.job || this.statuses.isEnd(this.job.status)) return null;
    const moments = [this.expiresAt(this.job), this.run.cancellation?.at].filter(
      (moment) => typeof moment === 'number',
    );
    return moments.length > 0 ? Math.min(...moments) : null;
  }

  /** @throws `JobStuck` with the ids of the results if they are refused for as long as `giveUpAfter` */
  async #collect(waited: Waited<T>, checked: T['checked']): Promise<T['collected']> {
    this.run.enter('collecting');
    const { job, isStuck } = waited;
    const collect = () => {
      const { provider, outputUri = null } = this.spec;
      const { cancellation, warnings } = this.run;
      const settleForMs = this.statuses.isEnd(job.status) ? toMs(this.spec.settleFor) : 0;
      return this.collect(job, { provider, outputUri, settleForMs, cancellation, warnings }, checked);
    };
    // The run has given up a job that is stuck, so it does not wait for what that job has.
    const persistence = this.#persistence;
    const { value, unanswered } = await (isStuck
      ? persistence.attempt('collect', collect)
      : persistence.ask('collect', collect));
    if (!unanswered) {
      this.collected = value;
      for (const warning of value?.warnings ?? []) this.run.warn(warning);
      return value;
    }
    const { since, message } = unanswered.attention;
    const reason = `${job.id} is ${job.status}, but its results could not be collected: ${message}`;
    if (!isStuck && waited.status !== 'failed') throw this.#stuck({ job, since, reason }, null);
    this.run.warn(reason);
    return null;
  }

  #stuck({ job, since, reason }: Pick<StuckJob<T['job']>, 'job' | 'since' | 'reason'>, result: T['collected']) {
    const { id: jobId, status } = job;
    return failure('JobStuck', reason, { jobId, status, since, atProvider: this.resultIds(job), result });
  }

  /** Runs however the lifecycle ends, and never holds up or replaces its outcome: files that are kept only cost space. */
  async #cleanUp(): Promise<void> {
    const mayStillRun = this.job === null ? this.#isCreateAmbiguous : !this.statuses.isEnd(this.job.status);
    const fileIds = this.filesToDelete(mayStillRun);
    if (fileIds.length === 0) return;
    const summary = `Delete ${fileIds.join(', ')} at the provider`;
    try {
      const input = { provider: this.spec.provider, fileIds };
      const { kept } = await runActivity(shortActivities.deleteFiles, summary, input);
      if (kept.length > 0) this.run.warn(`Could not delete files at the provider: ${kept.join(', ')}`);
    } catch (error) {
      if (!isUnanswered(error)) throw error;
      this.run.warn(`Could not delete files at the provider: ${fileIds.join(', ')}: ${messageOf(error)}`);
    }
  }

  #search(uploaded: T['uploaded'] | null): JobSearch {
    const { owner, startedAt } = this.#identity;
    const id = uploaded && this.inputFileId(uploaded);
    const inputFile = id === null ? null : { id, isOwn: this.uploadedFileIds.includes(id) };
    return { provider: this.spec.provider, owner, inputFile, startedAt };
  }
}
