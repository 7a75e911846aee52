/** Durable Temporal workflows for the long jobs of the OpenAI API. Workflows, client and testing have entry points of their own. */
export { createActivities, type Activities, type ActivitiesOptions } from './activities/index.js';
export {
  batchResultSchema,
  batchSpecSchema,
  type BatchProgress,
  type BatchRequest,
  type BatchResult,
  type BatchSpec,
  type LineCounts,
  type TokenUsage,
} from './contract/batch.js';
export {
  bulkBatchResultSchema,
  bulkBatchSpecSchema,
  type BulkBatchProgress,
  type BulkBatchResult,
  type BulkBatchSpec,
} from './contract/bulk-batch.js';
export { FAILURES, type FailureType } from './contract/failures.js';
export type { FaultReport, InputFault } from './contract/input-fault.js';
export { fileRefSchema, type FileRef } from './contract/file-ref.js';
export {
  fineTuningResultSchema,
  fineTuningSpecSchema,
  type FineTuningProgress,
  type FineTuningResult,
  type FineTuningSpec,
} from './contract/fine-tuning.js';
export { JOB_KEY, jobKeyOf, jobOwnerOf, type JobOwner } from './contract/job-key.js';
export { BATCH_LIMITS, FILE_LIMITS, FINE_TUNING_LIMITS, METADATA_LIMITS, type BatchLimits } from './contract/limits.js';
export type { Cancellation, Phase } from './contract/progress.js';
export { findOrphans, type FindOrphansOptions, type Orphan, type OrphanKind } from './client/find-orphans.js';
export { LlmJobsPlugin } from './worker/plugin.js';
export type { ProviderOptions, ProviderTraits } from './provider/providers.js';
export { S3Backend, Storage, StorageError, type S3Options, type StorageBackend } from './storage/index.js';
