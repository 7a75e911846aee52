/** For application code: start and steer runs, read their results. Loads nothing of `openai`. */
export { findOrphans, type FindOrphansOptions, type Orphan, type OrphanKind } from './orphans/find-orphans.js';
export { BatchRun, BulkBatchRun, FineTuningRun, type WaitOptions, type WatchOptions } from './client/handles.js';
export { JobFailedError } from './client/job-failed-error.js';
export {
  NoSearchAttributesError,
  type ListedJob,
  type ListedRun,
  type ListOptions,
  type RunKind,
} from './client/list-runs.js';
export { InvalidSpecError } from './client/invalid-spec-error.js';
export {
  LlmJobsClient,
  RunEndedError,
  type LlmJobsClientOptions,
  type StartOptions,
} from './client/llm-jobs-client.js';
export { RunNotFoundError } from './client/run-not-found-error.js';
export * from './contract/index.js';
export type { OpenAIClient } from './provider/openai-client.js';
export { readManifest, type Manifest } from './results/read-manifest.js';
export {
  readResults,
  type ReadResultsOptions,
  type Result,
  type ResultError,
  type ResultValue,
} from './results/read-results.js';
export { FileChangedError } from './storage/checked-file.js';
export * from './storage/index.js';
