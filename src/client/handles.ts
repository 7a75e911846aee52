/** Handles of runs, with their types: what application code holds. */
import type { Client, WorkflowHandle } from '@temporalio/client';
import { batchResultSchema, type BatchProgress, type BatchResult } from '../contract/batch.js';
import { bulkBatchResultSchema, type BulkBatchProgress, type BulkBatchResult } from '../contract/bulk-batch.js';
import { fineTuningResultSchema, type FineTuningProgress, type FineTuningResult } from '../contract/fine-tuning.js';
import { latestPoll } from './live-progress.js';

/** A run, as application code holds it. */
abstract class JobRun {
  /** Temporal's own handle, for everything else. */
  readonly handle: WorkflowHandle;
  readonly #client: Client;

  constructor(handle: WorkflowHandle, client: Client) {
    this.handle = handle;
    this.#client = client;
  }

  get workflowId(): string {
    return this.handle.workflowId;
  }

  /** Cancels the job at the provider; the run completes with `status: 'cancelled'` and the partial results. */
  async cancel(reason?: string): Promise<void> {
    await this.handle.signal('cancel', ...(reason === undefined ? [] : [reason]));
  }

  /** A hint that the job may have changed: it is read again now. */
  async wake(): Promise<void> {
    await this.handle.signal('wake');
  }

  /** The workflow's answer, brought up to date by the last look of the activity that is polling now. */
  protected async freshProgress<T extends { jobId: string | null; lastCheckedAt: number | null }>(): Promise<T> {
    const progress = await this.handle.query<T>('progress');
    const look = await latestPoll(this.#client, this.handle);
    return look && look.checkedAt >= (progress.lastCheckedAt ?? 0)
      ? { ...progress, ...look.news, lastCheckedAt: look.checkedAt }
      : progress;
  }
}

export class BatchRun extends JobRun {
  /** Waits for the end. Rejects with Temporal's `WorkflowFailedError`, whose cause is of a type in the table of failures. */
  async result(): Promise<BatchResult> {
    return batchResultSchema.parse(await this.handle.result());
  }

  async progress(): Promise<BatchProgress> {
    return this.freshProgress<BatchProgress>();
  }
}

export class BulkBatchRun extends JobRun {
  /** Waits for the end. Rejects with Temporal's `WorkflowFailedError`, whose cause is of a type in the table of failures. */
  async result(): Promise<BulkBatchResult> {
    return bulkBatchResultSchema.parse(await this.handle.result());
  }

  async progress(): Promise<BulkBatchProgress> {
    return this.handle.query<BulkBatchProgress>('progress');
  }
}

export class FineTuningRun extends JobRun {
  /** Waits for the end. Rejects with Temporal's `WorkflowFailedError`, whose cause is of a type in the table of failures. */
  async result(): Promise<FineTuningResult> {
    return fineTuningResultSchema.parse(await this.handle.result());
  }

  async progress(): Promise<FineTuningProgress> {
    return this.freshProgress<FineTuningProgress>();
  }

  /** Pauses the running job; answers with its status. Rejects when there is nothing to pause. */
  async pause(): Promise<string> {
    return this.handle.executeUpdate<string, []>('pause');
  }

  /** Resumes the paused job; answers with its status. */
  async resume(): Promise<string> {
    return this.handle.executeUpdate<string, []>('resume');
  }
}
