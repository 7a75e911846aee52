/** The public part of the contract, which the entry points for workers and for application code both export. */
export {
  batchResultSchema,
  batchSpecSchema,
  type BatchProgress,
  type BatchRequest,
  type BatchResult,
  type BatchSpec,
  type LineCounts,
  type TokenUsage,
} from './batch.js';
export {
  bulkBatchResultSchema,
  bulkBatchSpecSchema,
  type BulkBatchProgress,
  type BulkBatchResult,
  type BulkBatchSpec,
} from './bulk-batch.js';
export { FAILURES, type ApiErrorDetails, type FailureDetails, type FailureType } from './failures.js';
export { fileRefSchema, type FileRef } from './file-ref.js';
export {
  fineTuningResultSchema,
  fineTuningSpecSchema,
  type FineTuningMethod,
  type FineTuningProgress,
  type FineTuningResult,
  type FineTuningSpec,
  type TrainingSteps,
} from './fine-tuning.js';
export type { FaultReport, InputFault } from './input-fault.js';
export { JOB_KEY, jobKeyOf, jobOwnerOf, type JobOwner } from './job-key.js';
export { BATCH_LIMITS, FILE_LIMITS, FINE_TUNING_LIMITS, METADATA_LIMITS, type BatchLimits } from './limits.js';
export type { Attention, Cancellation, CommonProgress, Phase } from './progress.js';
export type { Deadline, Duration } from './duration.js';
export type { Endpoint } from './spec-fields.js';
export { JOB_STATES, SEARCH_ATTRIBUTES, type JobKind, type JobState } from './search-attributes.js';
export { DEFAULT_TASK_QUEUE } from './task-queue.js';
