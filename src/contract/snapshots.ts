/** Jobs at a provider as the workflows know them: what any provider may send, reduced to what something depends on. */

/** The part of a snapshot that batches and fine-tuning jobs share. */
export interface JobSnapshot {
  readonly id: string;
  /** The provider's status in lower case. It need not be one that `status.ts` knows. */
  readonly status: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Epoch seconds; null if the provider sends none. */
  readonly timestamps: { readonly createdAt: number | null };
}

/** The provider's counts. They need not add up, and are 0 if the provider sends none. */
export interface RequestCounts {
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
}

/** One of the reasons why a batch failed validation. */
export interface BatchError {
  readonly code: string | null;
  /** Line of the input file, from 1. */
  readonly line: number | null;
  readonly message: string | null;
  readonly param: string | null;
}

export interface BatchSnapshot extends JobSnapshot {
  readonly model: string | null;
  readonly inputFileId: string | null;
  readonly outputFileId: string | null;
  readonly errorFileId: string | null;
  /** The first hundred errors. */
  readonly errors: readonly BatchError[];
  readonly requestCounts: RequestCounts;
  readonly usage: {
    readonly input_tokens: number;
    readonly output_tokens: number;
    readonly total_tokens: number;
  } | null;
  /** Epoch seconds; null if the provider sends none. */
  readonly timestamps: {
    readonly createdAt: number | null;
    readonly inProgressAt: number | null;
    readonly expiresAt: number | null;
    readonly finalizingAt: number | null;
    readonly completedAt: number | null;
    readonly failedAt: number | null;
    readonly expiredAt: number | null;
    readonly cancellingAt: number | null;
    readonly cancelledAt: number | null;
  };
}

export interface FineTuningSnapshot extends JobSnapshot {
  readonly model: string | null;
  /** The new model; null until the job has succeeded. */
  readonly fineTunedModel: string | null;
  readonly trainingFileId: string | null;
  readonly validationFileId: string | null;
  readonly resultFileIds: readonly string[];
  readonly trainedTokens: number | null;
  readonly hyperparameters: Record<string, unknown> | null;
  readonly method: ({ type: string } & Record<string, unknown>) | null;
  readonly seed: number | null;
  readonly error: {
    readonly code: string | null;
    readonly message: string | null;
    readonly param: string | null;
  } | null;
  /** Epoch seconds; null if the provider sends none. */
  readonly timestamps: {
    readonly createdAt: number | null;
    readonly finishedAt: number | null;
    readonly estimatedFinish: number | null;
  };
}

/** The timestamps of the ends of all kinds of jobs. A job has one of them. */
const ENDS = ['completedAt', 'expiredAt', 'cancelledAt', 'failedAt', 'finishedAt'];

/** When the job ended, in epoch seconds; null where the provider does not say. */
export function endedAt({ timestamps }: JobSnapshot): number | null {
  const known: Readonly<Record<string, number | null | undefined>> = timestamps;
  return ENDS.map((name) => known[name] ?? null).find((at) => at !== null) ?? null;
}

/** Whether half of the requests are answered; false if the provider sends no counts. */
export function isHalfDone({ total, completed, failed }: RequestCounts): boolean {
  return total > 0 && 2 * (completed + failed) >= total;
}
