/** Typed handles of runs. */
import type { Client, WorkflowHandle } from '@temporalio/client';
import { batchResultSchema, type BatchProgress, type BatchResult } from '../contract/batch.js';
import { bulkBatchResultSchema, type BulkBatchProgress, type BulkBatchResult } from '../contract/bulk-batch.js';
import { fineTuningResultSchema, type FineTuningProgress, type FineTuningResult } from '../contract/fine-tuning.js';
import type { CommonProgress } from '../contract/progress.js';
import { withLatest } from './live-progress.js';

/** What the handles of all kinds of runs have in common. */
abstract class JobRun {
  /** Temporal's handle, for everything else. */
  readonly handle: WorkflowHandle;
  readonly #client: Client;

  constructor(handle: WorkflowHandle, client: Client) {
    this.handle = handle;
    this.#client = client;
  }

  get workflowId(): string {
    return this.handle.workflowId;
  }

  /**
   * Cancels what the run has at the provider. The run then completes with `status: 'cancelled'` and the partial
   * results.
   *
   * @param reason recorded in the result's `cancellation`
   */
  async cancel(reason?: string): Promise<void> {
    await this.handle.signal('cancel', ...(reason === undefined ? [] : [reason]));
  }

  /** Makes the run read its job now instead of at the next poll, for example after a webhook. */
  async wake(): Promise<void> {
    await this.handle.signal('wake');
  }

  /** The workflow's own progress, with what was seen last of the job if that is newer. */
  protected async latestProgress<T extends CommonProgress>(): Promise<T> {
    return withLatest(this.#client, this.handle, await this.handle.query<T>('progress'));
  }
}

/** A run of `runBatch`. */
export class BatchRun extends JobRun {
  /**
   * Waits for the run to end.
   *
   * @throws WorkflowFailedError of `@temporalio/client`; the `type` of its cause is a key of `FAILURES`
   */
  async result(): Promise<BatchResult> {
    return batchResultSchema.parse(await this.handle.result());
  }

  /** The current state of the run, with the counts of the latest poll. */
  async progress(): Promise<BatchProgress> {
    return this.latestProgress<BatchProgress>();
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
export class BulkBatchRun extends JobRun {
  /**
   * Waits for the run to end.
   *
   * @throws WorkflowFailedError of `@temporalio/client`; the `type` of its cause is a key of `FAILURES`
   */
  async result(): Promise<BulkBatchResult> {
    return bulkBatchResultSchema.parse(await this.handle.result());
  }

  /** The current state of the run. Requests are counted when their batch has ended. */
  async progress(): Promise<BulkBatchProgress> {
    return this.handle.query<BulkBatchProgress>('progress');
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
export class FineTuningRun extends JobRun {
  /**
   * Waits for the run to end.
   *
   * @throws WorkflowFailedError of `@temporalio/client`; the `type` of its cause is a key of `FAILURES`
   */
  async result(): Promise<FineTuningResult> {
    return fineTuningResultSchema.parse(await this.handle.result());
  }

  /** The current state of the run, with the training steps of the latest poll. */
  async progress(): Promise<FineTuningProgress> {
    return this.latestProgress<FineTuningProgress>();
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
