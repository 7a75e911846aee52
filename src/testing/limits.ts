/** What the local API enforces. Sizes are bytes. The defaults are the documented limits of the API. */
export interface LocalApiLimits {
  /** Of any file. @default 512 MB */
  fileBytes: number;
  /** Of a file with the purpose `batch`. @default 200 MB */
  batchFileBytes: number;
  /** Lines of a batch. @default 50_000 */
  batchRequests: number;
  /** Inputs over all lines of an embeddings batch. @default 50_000 */
  embeddingInputs: number;
  /** Prompt tokens of all unfinished batches of a model; one number for all or one by model. @default no limit */
  enqueuedTokens: number | Record<string, number>;
  /** Batches created within an hour; more are 429. @default 2_000 */
  batchesPerHour: number;
  /** Accepted completion windows. @default ['24h'] */
  completionWindows: readonly string[];
  /** Whether a model exists. @default all but those whose name begins with `no-such-` */
  knowsModel: (model: string) => boolean;
  /** Fine-tuning jobs that have not ended; more are 429. @default no limit */
  concurrentFineTuningJobs: number;
  /** Fine-tuning jobs created within 24 h; more are 429. @default no limit */
  fineTuningJobsPerDay: number;
}

export const DEFAULT_LIMITS: LocalApiLimits = {
  fileBytes: 512 * 1024 * 1024,
  batchFileBytes: 200 * 1024 * 1024,
  batchRequests: 50_000,
  embeddingInputs: 50_000,
  enqueuedTokens: Infinity,
  batchesPerHour: 2_000,
  completionWindows: ['24h'],
  knowsModel: (model) => !model.startsWith('no-such-'),
  concurrentFineTuningJobs: Infinity,
  fineTuningJobsPerDay: Infinity,
};
