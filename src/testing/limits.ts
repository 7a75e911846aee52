/** What the local API enforces. Sizes are in bytes. The defaults are the documented limits of the API. */
export interface LocalApiLimits {
  /** The size of any file. @default 512 MB */
  readonly fileBytes: number;
  /** The size of a file with the purpose `batch`. @default 200 MB */
  readonly batchFileBytes: number;
  /** Lines of a batch. @default 50_000 */
  readonly batchRequests: number;
  /** Inputs over all lines of an embeddings batch. @default 50_000 */
  readonly embeddingInputs: number;
  /** Prompt tokens of all unfinished batches of a model; one number for every model, or by model. @default no limit */
  readonly enqueuedTokens: number | Readonly<Record<string, number>>;
  /** Batches created within an hour; further ones get a 429. @default 2_000 */
  readonly batchesPerHour: number;
  /** Accepted completion windows. @default ['24h'] */
  readonly completionWindows: readonly string[];
  /** Whether a model exists. @default all except those whose name begins with `no-such-` */
  readonly knowsModel: (model: string) => boolean;
  /** Fine-tuning jobs of a model that have not ended; further ones get a 429. @default no limit */
  readonly concurrentFineTuningJobs: number;
  /** Fine-tuning jobs of a model created within 24 h; further ones get a 429. @default no limit */
  readonly fineTuningJobsPerDay: number;
}

/** The limits of OpenAI. */
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
