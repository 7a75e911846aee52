import { WorkflowNotFoundError } from '@temporalio/client';

/** What to do, by what is known of storage. */
const ADVICE = {
  noStorage:
    'what such a run had collected is in storage: give the client the storage of the workers ' +
    '(`new LlmJobsClient(client, { storage })`), and `result()` reads it from there',
  notInStorage:
    'and the storage has no result of it under this workflow id. A run that failed leaves none; the files of any batch ' +
    'are found by its id: `readManifest(storage, batchId)`',
  storage: '`result()` of such a run reads what it had collected from the storage of the client',
};

/**
 * Temporal knows no run of the workflow id: there never was one, or it has ended and Temporal has removed it, which it
 * does after the retention of its namespace. What it had collected is still in storage: `result()` reads it where the
 * client has the storage of the workers, and `readManifest` by the id of the job.
 */
export class RunNotFoundError extends WorkflowNotFoundError {
  override readonly name = 'RunNotFoundError';

  private constructor({ workflowId, runId }: WorkflowNotFoundError, known: keyof typeof ADVICE) {
    super(
      `Temporal knows no run "${workflowId}". It removes ended runs after the retention of the namespace; ${ADVICE[known]}`,
      workflowId,
      runId,
    );
  }

  /** The same error where a run is not there; any other error unchanged. */
  static of(error: unknown, known: keyof typeof ADVICE): unknown {
    return error instanceof WorkflowNotFoundError ? new RunNotFoundError(error, known) : error;
  }
}
