import { WorkflowNotFoundError } from '@temporalio/client';

/**
 * Temporal knows no run of the workflow id: there never was one, or it has ended and Temporal has removed it, which it
 * does after the retention of its namespace. What it had collected is still in storage: see `readManifest`.
 */
export class RunNotFoundError extends WorkflowNotFoundError {
  override readonly name = 'RunNotFoundError';

  private constructor({ workflowId, runId }: WorkflowNotFoundError) {
    super(
      `Temporal knows no run "${workflowId}". It removes ended runs after the retention of the namespace; what such a ` +
        'run had collected is in storage, under the id of its job: read it with `readManifest`',
      workflowId,
      runId,
    );
  }

  /** The same error where a run is not there; any other error unchanged. */
  static of(error: unknown): unknown {
    return error instanceof WorkflowNotFoundError ? new RunNotFoundError(error) : error;
  }
}
