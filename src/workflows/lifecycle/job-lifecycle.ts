/**
 * The lifecycle of one job at the provider, whatever its kind: check the input, upload it, create the job, wait for its
 * end, collect the results, clean up. A subclass makes the calls of its kind; the order and the rules are here.
 */
import type {
  CreatedOnce,
  CreateOnceInput,
  Duplicates,
  JobSearch,
  Sighting,
  WatchInput,
} from '../../contract/activities/jobs.js';
import type { UploadFileInput } from '../../contract/activities/files.js';
import type { CheckedFile } from '../../contract/checked-file.js';
import { failure } from '../../contract/failures.js';
import type { Cancellation, CommonProgress } from '../../contract/progress.js';
import type { JobSnapshot } from '../../contract/snapshots.js';
import type { Duration } from '../../contract/spec-fields.js';
import { runActivity, shortActivities, transferActivities } from './activity-calls.js';
import { createUnlessCancelled, type CreatedJob } from './create-unless-cancelled.js';
import { showDetails, type Details } from './current-details.js';
import { identity } from './identity.js';
import { cancellingLateDuplicates } from './late-duplicates.js';
import type { RunControl } from './run-control.js';
import { iso, now } from './time.js';
import { waitForEnd, type EndedJob, type EndingStatusRules, type StuckJob } from './wait-for-end.js';

/** What flows through the lifecycle of one kind of job, in this order. */
export interface JobTypes {
  readonly spec: JobSpec;
  /** The input after its pre-flight check. */
  readonly checked: object;
  /** The ids of the input's files at the provider. */
  readonly uploaded: object;
  readonly job: JobSnapshot;
  /** The job's terminal statuses. */
  readonly end: string;
  /** What was collected; null where there was nothing to collect. */
  readonly collected: { readonly warnings: readonly string[] } | null;
  readonly result: { readonly warnings: string[] };
}

/** The fields of a spec that the lifecycle itself depends on. */
interface JobSpec {
  readonly provider: string;
  readonly outputUri?: string | undefined;
  readonly onAmbiguousCreate: 'fail' | 'createAgain';
  readonly vanishedAfter: Duration;
  readonly stuckAfter: Duration;
  readonly poll?: { readonly min?: Duration | undefined; readonly max?: Duration | undefined } | undefined;
}

/** What the collecting activities of all kinds of jobs take. */
export interface CollectContext {
  readonly provider: string;
  readonly outputUri: string | null;
  readonly cancellation: Cancellation | null;
  readonly warnings: readonly string[];
}

/** A checked input file: in storage, or at the provider already. */
type InputFile =
  { readonly fileId: string; readonly file?: undefined } | { readonly fileId?: undefined; readonly file: CheckedFile };

/** The provider deletes an upload after 30 days: longer than any job takes, so that only a forgotten one expires. */
const INPUT_EXPIRES_AFTER_SECONDS = 30 * 24 * 60 * 60;

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
  #lastCheckedAt: number | null = null;
  #ignoresCancel = false;

  protected abstract readonly statuses: EndingStatusRules<T['end']>;

  constructor(spec: T['spec'], run: RunControl) {
    this.spec = spec;
    this.run = run;
    run.onChange = () => this.#show();
  }

  async execute(): Promise<T['result']> {
    this.#show();
    const result = await this.#fromInputToResult();
    // The clean-up follows the collection, and may warn too.
    return { ...result, warnings: [...this.run.warnings] };
  }

  async #fromInputToResult(): Promise<T['result']> {
    let checked = await this.check();
    try {
      this.uploaded = checked && (await this.upload(checked));
      const created = (this.uploaded && (await this.#create(this.uploaded))) ?? (await this.#leftByEarlierRun());
      if (!created) return this.neverCreated(checked);
      const waited = await this.#waitForEnd(created);
      checked ??= await this.#checkInSpiteOfCancel();
      const collected = await this.#collect(waited.job, checked);
      if (waited.isStuck) throw stuck(waited, collected);
      return this.resultOf(waited, collected);
    } finally {
      await this.#cleanUp();
    }
  }

  /** Null when a cancel came first. */
  protected abstract check(): Promise<T['checked'] | null>;

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

  protected abstract watch(input: WatchInput): Promise<Sighting<T['job']>>;

  protected abstract cancel(id: string): Promise<T['job'] | null>;

  /** Cancels every job of this run but the one of this id. */
  protected abstract cancelDuplicates(search: JobSearch, id: string): Promise<Duplicates>;

  /**
   * When the provider ends the job, in epoch seconds; null where it reports none, or jobs of this kind do not expire.
   */
  protected abstract expiresAt(job: T['job']): number | null;

  protected abstract collect(job: T['job'], context: CollectContext, checked: T['checked']): Promise<T['collected']>;

  /** @throws the kind's failure where the job has failed */
  protected abstract resultOf(ended: EndedJob<T['job'], T['end']>, collected: T['collected']): T['result'];

  /** The result where a cancel came before there was a job: nothing was created and nothing was paid for. */
  protected abstract neverCreated(checked: T['checked'] | null): T['result'];

  /** The files at the provider that `cleanup` selects. A job that may still run needs its input. */
  protected abstract filesToDelete(mayStillRun: boolean): string[];

  protected abstract details(progress: CommonProgress): Omit<Details, 'status'>;

  protected get commonProgress(): CommonProgress {
    const { phase, cancellation, warnings } = this.run;
    return {
      phase,
      status: this.job?.status ?? 'not_created',
      jobId: this.job?.id ?? null,
      lastCheckedAt: this.#lastCheckedAt,
      cancelRequested: cancellation !== null,
      cancellation,
      warnings: [...warnings],
    };
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

  #create(uploaded: T['uploaded']): Promise<CreatedJob<T['job']> | null> {
    const { onAmbiguousCreate } = this.spec;
    const { mayExist } = this.#identity;
    const search = this.#search(uploaded);
    return createUnlessCancelled<T['job']>(
      this.run,
      () => this.create(uploaded, { ...search, mayExist, onAmbiguousCreate }),
      (outcomeUnknown) => this.find(uploaded, search, outcomeUnknown),
    );
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

  #waitForEnd({
    job,
    mayHaveDuplicate,
  }: CreatedJob<T['job']>): Promise<EndedJob<T['job'], T['end']> | StuckJob<T['job']>> {
    this.run.enter('waiting');
    const wait = () =>
      waitForEnd<T['job'], T['end']>(this.run, {
        provider: this.spec.provider,
        job,
        spec: this.spec,
        statuses: this.statuses,
        expiresAt: (seen) => this.expiresAt(seen),
        watch: (input) => this.watch(input),
        cancel: (id) => this.cancel(id),
        onSeen: (seen, at) => {
          this.job = seen;
          this.#lastCheckedAt = at;
          this.#show();
        },
      });
    if (!mayHaveDuplicate) return wait();
    return cancellingLateDuplicates(this.run, () => this.cancelDuplicates(this.#search(this.uploaded), job.id), wait);
  }

  async #collect(job: T['job'], checked: T['checked']): Promise<T['collected']> {
    this.run.enter('collecting');
    const { provider, outputUri = null } = this.spec;
    const { cancellation, warnings } = this.run;
    const collected = await this.collect(job, { provider, outputUri, cancellation, warnings }, checked);
    this.collected = collected;
    for (const warning of collected?.warnings ?? []) this.run.warn(warning);
    return collected;
  }

  /** Runs however the lifecycle ends. */
  async #cleanUp(): Promise<void> {
    const fileIds = this.filesToDelete(this.job !== null && !this.statuses.isEnd(this.job.status));
    if (fileIds.length === 0) return;
    const { provider } = this.spec;
    const summary = `Delete ${fileIds.join(', ')} at the provider`;
    const { kept } = await runActivity(shortActivities.deleteFiles, summary, { provider, fileIds });
    if (kept.length > 0) this.run.warn(`Could not delete files at the provider: ${kept.join(', ')}`);
  }

  #search(uploaded: T['uploaded'] | null): JobSearch {
    const { owner, startedAt } = this.#identity;
    const id = uploaded && this.inputFileId(uploaded);
    const inputFile = id === null ? null : { id, isOwn: this.uploadedFileIds.includes(id) };
    return { provider: this.spec.provider, owner, inputFile, startedAt };
  }

  #show(): void {
    const progress = this.commonProgress;
    showDetails(this.run, { ...this.details(progress), status: progress.status });
  }
}

function stuck({ job: { id: jobId, status }, since }: StuckJob<JobSnapshot>, result: unknown) {
  const message = `${jobId} is still ${status} at ${iso(now())}; it should have ended before ${iso(since)}`;
  return failure('JobStuck', message, { jobId, status, since, result });
}
