/** Questions that activities ask Temporal about other runs. */
import { getClient } from '@temporalio/activity';
import { isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import type { BatchProgress } from '../../contract/batch.js';

/** GRPC's `FAILED_PRECONDITION`: the run ended before its first workflow task, so it cannot be queried. */
const FAILED_PRECONDITION: number = 9;

/** Id of the batch that a `runBatch` run followed; null if it had none, or if the run no longer exists. */
export async function batchIdOfRun(workflowId: string): Promise<string | null> {
  try {
    return (await getClient().workflow.getHandle(workflowId).query<BatchProgress>('progress')).jobId;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    const cause: unknown = error instanceof Error ? error.cause : null;
    const code: number | null = isGrpcServiceError(cause) ? cause.code : null;
    if (code === FAILED_PRECONDITION) return null;
    throw error;
  }
}

/** Whether the current run of a workflow has ended, or never existed. */
export async function isClosed(workflowId: string): Promise<boolean> {
  try {
    const { status } = await getClient().workflow.getHandle(workflowId).describe();
    return status.name !== 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return true;
    throw error;
  }
}
