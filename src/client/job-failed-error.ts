import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import { FAILURES, type FailureDetails, type FailureType } from '../contract/failures.js';

/**
 * A run failed. Its `cause` is Temporal's failure, as of every `WorkflowFailedError`.
 *
 * @example
 * ```ts
 * const result = await run.result().catch((error: unknown) => {
 *   if (error instanceof JobFailedError && error.is('BatchFailed')) console.error(error.details?.errors, error.whatNext);
 *   throw error;
 * });
 * ```
 */
export class JobFailedError<Type extends FailureType = FailureType> extends WorkflowFailedError {
  override readonly name = 'JobFailedError';
  /** The workflow id of the run. */
  readonly workflowId: string;
  /** Why it failed: see `FAILURES`. */
  readonly type: Type;
  /** What is known of the failure: see `FailureDetails`. Undefined where it came without. */
  readonly details: FailureDetails[Type] | undefined;
  /** What a person may do, in a sentence. */
  readonly whatNext: string;

  private constructor(workflowId: string, type: Type, cause: ApplicationFailure, { retryState }: WorkflowFailedError) {
    super(`${type}: ${cause.message}`, cause, retryState);
    this.workflowId = workflowId;
    this.type = type;
    this.details = cause.details?.[0] as FailureDetails[Type] | undefined;
    this.whatNext = FAILURES[type].next;
  }

  /** The same error for a failure of this library; any other error unchanged. */
  static of(workflowId: string, error: unknown): unknown {
    if (!(error instanceof WorkflowFailedError) || error instanceof JobFailedError) return error;
    const { cause } = error;
    if (!(cause instanceof ApplicationFailure) || !isFailureType(cause.type)) return error;
    return new JobFailedError(workflowId, cause.type, cause, error);
  }

  /** Whether the failure has this type. TypeScript then knows the type of its details. */
  is<Given extends FailureType>(type: Given): this is JobFailedError<Given> {
    const { type: own }: { readonly type: FailureType } = this;
    return own === type;
  }
}

const isFailureType = (type: unknown): type is FailureType => typeof type === 'string' && Object.hasOwn(FAILURES, type);
