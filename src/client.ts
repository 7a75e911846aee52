/** For application code: start jobs, steer them, read their results. Loads nothing of `openai`. */
export {
  InvalidSpecError,
  LlmJobsClient,
  type LlmJobsClientOptions,
  type StartOptions,
} from './client/llm-jobs-client.js';
export { BatchRun, BulkBatchRun, FineTuningRun } from './client/handles.js';
export { readResults, type ReadResultsOptions, type Result, type ResultError } from './results/read-results.js';
export { S3Backend, Storage, StorageError, type S3Options, type StorageBackend } from './storage/index.js';
