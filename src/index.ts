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
} from './jobs/batch.js';
export {
  bulkBatchResultSchema,
  bulkBatchSpecSchema,
  type BulkBatchProgress,
  type BulkBatchResult,
  type BulkBatchSpec,
} from './jobs/bulk-batch.js';
export { FAILURES, type FailureType } from './jobs/failures.js';
export type { FaultReport, InputFault } from './jobs/fault.js';
export { fileRefSchema, type FileRef } from './jobs/file-ref.js';
export {
  fineTuningResultSchema,
  fineTuningSpecSchema,
  type FineTuningProgress,
  type FineTuningResult,
  type FineTuningSpec,
} from './jobs/fine-tuning.js';
export { JOB_KEY, jobKeyOf, jobOwnerOf, type JobOwner } from './jobs/job-key.js';
export { BATCH_LIMITS, FILE_LIMITS, FINE_TUNING_LIMITS, METADATA_LIMITS, type BatchLimits } from './jobs/limits.js';
export type { Cancellation, Phase } from './jobs/run-state.js';
export { findOrphans, type FindOrphansOptions, type Orphan, type OrphanKind } from './orphans.js';
export { LlmJobsPlugin } from './plugin.js';
export type { ProviderOptions, ProviderTraits } from './providers/providers.js';
export { S3Backend, Storage, StorageError, type S3Options, type StorageBackend } from './storage/index.js';
