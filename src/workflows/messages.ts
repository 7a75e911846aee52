/** The messages that all lifecycles answer to. Their names are the contract on the wire. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { BatchProgress } from '../contract/batch.js';
import type { BulkBatchProgress } from '../contract/bulk-batch.js';
import type { FineTuningProgress } from '../contract/fine-tuning.js';

/** Before the job exists: never create it. After: cancel it at the provider, wait for its end, keep the partial results. */
export const cancelSignal = defineSignal<[reason?: string]>('cancel');

/** A hint that the job may have changed: read it again now. A hint is never believed as state. */
export const wakeSignal = defineSignal('wake');

export const batchProgressQuery = defineQuery<BatchProgress>('progress');
export const bulkBatchProgressQuery = defineQuery<BulkBatchProgress>('progress');
export const fineTuningProgressQuery = defineQuery<FineTuningProgress>('progress');

/** Pauses or resumes a fine-tuning job; answers with the job's status. */
export const pauseUpdate = defineUpdate<string>('pause');
export const resumeUpdate = defineUpdate<string>('resume');
