/** Typed handles of runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError, type Client, type WorkflowHandle } from '@temporalio/client';
import { batchResultSchema, type BatchProgress, type BatchResult } from '../contract/batch.js';
import { bulkBatchResultSchema, type BulkBatchProgress, type BulkBatchResult } from '../contract/bulk-batch.js';
import { fineTuningResultSchema, type FineTuningProgress, type FineTuningResult } from '../contract/fine-tuning.js';
import type { CommonProgress } from '../contract/progress.js';
import type { Manifest } from '../results/read-manifest.js';
import { readResultOfRun } from '../results/run-record.js';
import type { Storage } from '../storage/storage.js';
import { isOpenRun } from '../temporal/server.js';
import { toMs, type Duration } from '../contract/duration.js';
import { JobFailedError } from './job-failed-error.js';
import { withLatest } from './live-progress.js';
import { RunNotFoundError } from './run-not-found-error.js';
import { MAX_OUTAGE, throughOutages } from './outage.js';

/** How long a call waits. */
export interface WaitOptions {
  /**
   * How long Temporal may be unreachable in one piece while it is waited for.
   * @default '10m'
   */
  readonly maxOutage?: Duration;
}

/** How to watch a run. */
export interface WatchOptions extends WaitOptions {
  /**
   * How often the progress is asked for.
   * @default '2s'
   */
  readonly every?: Duration;
}

const WATCH_EVERY = '2s';

/** Where a run is found besides Temporal. */
export interface RunPlace {
  /** The storage of the workers. */
  readonly storage?: Storage | undefined;
  /** Only the run with this id has the result; undefined: the last run of the workflow id that has one. */
  readonly runId?: string | undefined;
}

/** What the handles of all kinds of runs have in common. */
abstract class JobRun<Result, Progress extends CommonProgress> {
  /** The Temporal handle underneath, for what this class does not cover. */
  readonly handle: WorkflowHandle;
  readonly #client: Client;
  readonly #place: RunPlace;
  /** Of its manifest. */
  protected abstract readonly kind: Manifest['kind'];

  constructor(handle: WorkflowHandle, client: Client, place: RunPlace = {}) {
    this.handle = handle;
    this.#client = client;
    this.#place = place;
  }

  /** The workflow id of the run. */
  get workflowId(): string {
    return this.handle.workflowId;
  }

  /**
   * Cancels what the run has at the provider. The run then completes with `status: 'cancelled'` and the partial
   * results.
   *
   * @param reason recorded in the result's `cancellation`
   * @throws WorkflowNotFoundError of `@temporalio/client` if there is no such run, or it has ended
   */
  async cancel(reason?: string, { maxOutage = MAX_OUTAGE }: WaitOptions = {}): Promise<void> {
    const args = reason === undefined ? [] : [reason];
    await throughOutages(() => this.handle.signal('cancel', ...args), toMs(maxOutage));
  }

  /** Makes the run read its job now instead of at the next poll, for example after a webhook. */
  async wake({ maxOutage = MAX_OUTAGE }: WaitOptions = {}): Promise<void> {
    await throughOutages(() => this.handle.signal('wake'), toMs(maxOutage));
  }

  /** The workflow's own progress, with what was seen last of the job if that is newer. */
  protected async latestProgress<T extends CommonProgress>({ maxOutage = MAX_OUTAGE }: WaitOptions): Promise<T> {
    const ask = async () => withLatest(this.#client, this.handle, await this.handle.query<T>('progress'));
    return this.existing(throughOutages(ask, toMs(maxOutage)));
  }

  /** @throws RunNotFoundError */
  protected async existing<T>(asked: Promise<T>): Promise<T> {
    return asked.catch((error: unknown) => {
      throw RunNotFoundError.of(error, 'storage');
    });
  }

  /** What the run has written to storage; null if Temporal must know. */
  async #stored(): Promise<Result | null> {
    const { storage, runId } = this.#place;
    if (!storage) return null;
    const { namespace } = this.#client.options;
    const manifest = await readResultOfRun(storage, { namespace, workflowId: this.workflowId }, runId);
    return manifest?.kind === this.kind ? (manifest.result as unknown as Result) : null;
  }

  /** @throws JobFailedError */
  protected async outcome(schema: { parse(value: unknown): Result }, options: WaitOptions): Promise<Result> {
    const { maxOutage = MAX_OUTAGE } = options;
    const ask = () =>
      this.handle.result().catch((error: unknown) => {
        throw JobFailedError.of(this.workflowId, error);
      });
    try {
      return schema.parse(await throughOutages(ask, toMs(maxOutage)));
    } catch (error) {
      const stored = error instanceof WorkflowNotFoundError ? await this.#stored() : null;
      if (stored !== null) return stored;
      throw RunNotFoundError.of(error, this.#place.storage === undefined ? 'noStorage' : 'notInStorage');
    }
  }

  abstract progress(options?: WaitOptions): Promise<Progress>;

  /**
   * The progress of the run whenever it has changed, until the run has ended.
   *
   * @example
   * ```ts
   * for await (const { status, counts } of run.watch()) console.log(status, counts);
   * ```
   */
  async *watch({ every = WATCH_EVERY, ...options }: WatchOptions = {}): AsyncGenerator<Progress, void> {
    let last = '';
    while (true) {
      const isOpen = await this.isOpen(options);
      const progress = await this.progress(options);
      const { lastCheckedAt: _, ...state } = progress;
      const now = JSON.stringify(state);
      if (now !== last) yield progress;
      last = now;
      if (!isOpen) return;
      await sleep(toMs(every));
    }
  }

  /** Whether the run is still open. Works without a running worker. */
  async isOpen({ maxOutage = MAX_OUTAGE }: WaitOptions = {}): Promise<boolean> {
    const { status } = await this.existing(throughOutages(() => this.handle.describe(), toMs(maxOutage)));
    return isOpenRun(status.name);
  }
}

/** A run of `runBatch`. */
export class BatchRun extends JobRun<BatchResult, BatchProgress> {
  protected override readonly kind = 'batch';

  /**
   * Waits for the run to end, also while Temporal cannot be reached. The result of a run that Temporal has removed is read
   * from the client's `storage`.
   *
   * @throws JobFailedError if the run failed; RunNotFoundError if neither Temporal nor storage knows it; WorkflowFailedError of `@temporalio/client` if it was terminated or cancelled
   *   by Temporal; the error of the call if Temporal cannot be reached for longer than `maxOutage`
   */
  async result(options: WaitOptions = {}): Promise<BatchResult> {
    return this.outcome(batchResultSchema, options);
  }

  /** The current state of the run, with the counts of the latest poll. */
  override async progress(options: WaitOptions = {}): Promise<BatchProgress> {
    return this.latestProgress<BatchProgress>(options);
  }

  /**
   * Reads the batch at the provider now.
   *
   * @throws WorkflowUpdateFailedError of `@temporalio/client` if the provider refuses, or does not answer within two
   *   minutes
   */
  async look(): Promise<BatchProgress> {
    return this.handle.executeUpdate<BatchProgress, []>('look');
  }
}

/** A run of `runBulkBatch`. */
export class BulkBatchRun extends JobRun<BulkBatchResult, BulkBatchProgress> {
  protected override readonly kind = 'bulk';

  /**
   * Waits for the run to end, also while Temporal cannot be reached. The result of a run that Temporal has removed is read
   * from the client's `storage`.
   *
   * @throws JobFailedError if the run failed; RunNotFoundError if neither Temporal nor storage knows it; WorkflowFailedError of `@temporalio/client` if it was terminated or cancelled
   *   by Temporal; the error of the call if Temporal cannot be reached for longer than `maxOutage`
   */
  async result(options: WaitOptions = {}): Promise<BulkBatchResult> {
    return this.outcome(bulkBatchResultSchema, options);
  }

  /** The current state of the run. Requests are counted when their batch has ended. */
  override async progress(options: WaitOptions = {}): Promise<BulkBatchProgress> {
    const { maxOutage = MAX_OUTAGE } = options;
    return this.existing(throughOutages(() => this.handle.query<BulkBatchProgress>('progress'), toMs(maxOutage)));
  }

  /** The same with what the batches under way have answered so far, as the watch of their account saw it last. */
  async look(): Promise<BulkBatchProgress> {
    return this.handle.executeUpdate<BulkBatchProgress, []>('look');
  }

  /**
   * Creates no further batch until `resume`. Batches that exist go on, and their results are kept.
   *
   * @returns `paused`
   * @throws WorkflowUpdateFailedError of `@temporalio/client` if the run was cancelled, or has no further part
   */
  async pause(): Promise<string> {
    return this.handle.executeUpdate<string, []>('pause');
  }

  /**
   * Creates batches again.
   *
   * @returns `running`
   * @throws WorkflowUpdateFailedError of `@temporalio/client` if the run was cancelled, or has no further part
   */
  async resume(): Promise<string> {
    return this.handle.executeUpdate<string, []>('resume');
  }
}

/** A run of `runFineTuning`. */
export class FineTuningRun extends JobRun<FineTuningResult, FineTuningProgress> {
  protected override readonly kind = 'fineTuning';

  /**
   * Waits for the run to end, also while Temporal cannot be reached. The result of a run that Temporal has removed is read
   * from the client's `storage`.
   *
   * @throws JobFailedError if the run failed; RunNotFoundError if neither Temporal nor storage knows it; WorkflowFailedError of `@temporalio/client` if it was terminated or cancelled
   *   by Temporal; the error of the call if Temporal cannot be reached for longer than `maxOutage`
   */
  async result(options: WaitOptions = {}): Promise<FineTuningResult> {
    return this.outcome(fineTuningResultSchema, options);
  }

  /** The current state of the run, with the training steps of the latest poll. */
  override async progress(options: WaitOptions = {}): Promise<FineTuningProgress> {
    return this.latestProgress<FineTuningProgress>(options);
  }

  /**
   * Reads the job at the provider now.
   *
   * @throws WorkflowUpdateFailedError of `@temporalio/client` if the provider refuses, or does not answer within two
   *   minutes
   */
  async look(): Promise<FineTuningProgress> {
    return this.handle.executeUpdate<FineTuningProgress, []>('look');
  }

  /**
   * Pauses the running job.
   *
   * @returns the job's status
   * @throws WorkflowUpdateFailedError of `@temporalio/client` if there is no running job to pause
   */
  async pause(): Promise<string> {
    return this.handle.executeUpdate<string, []>('pause');
  }

  /**
   * Resumes the paused job.
   *
   * @returns the job's status
   * @throws WorkflowUpdateFailedError of `@temporalio/client` if there is no paused job to resume
   */
  async resume(): Promise<string> {
    return this.handle.executeUpdate<string, []>('resume');
  }
}
