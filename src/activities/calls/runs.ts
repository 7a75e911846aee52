/** Questions that activities ask Temporal: about other runs, about their own attempts, and about the cluster. */
import { activityInfo, getClient } from '@temporalio/activity';
import { isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import type { HolderRun } from '../../contract/activities/token-budget.js';
import type { BatchProgress } from '../../contract/batch.js';
import type { CommonProgress } from '../../contract/progress.js';
import { askRun } from '../../temporal/ask-run.js';
import { clusterIdOf, isOpenRun } from '../../temporal/server.js';

/** GRPC's `FAILED_PRECONDITION`: the run ended before its first workflow task, so it cannot be queried. */
const FAILED_PRECONDITION: number = 9;

/** How long Temporal may take to answer a question about this attempt. */
const OWN_QUESTION_MS = 10_000;

/** Id of the batch that a `runBatch` run followed; null if it had none, or if the run no longer exists. */
export async function batchIdOfRun(workflowId: string): Promise<string | null> {
  try {
    return (await askRun<BatchProgress>(getClient(), workflowId, 'progress')).jobId;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    const cause: unknown = error instanceof Error ? error.cause : null;
    const code: number | null = isGrpcServiceError(cause) ? cause.code : null;
    if (code === FAILED_PRECONDITION) return null;
    throw error;
  }
}

/** Whether a run says that it was told to cancel; false without an answer. */
export async function isBeingCancelled(workflowId: string): Promise<boolean> {
  return askRun<CommonProgress>(getClient(), workflowId, 'progress').then(
    ({ cancelRequested }) => cancelRequested,
    () => false,
  );
}

/** Which of these runs have ended, or never existed. */
export async function whichHaveEnded(runs: readonly HolderRun[]): Promise<HolderRun[]> {
  const ended = await someAtOnce(runs, hasEnded);
  return runs.filter((_, index) => ended[index]);
}

/** Questions that Temporal is asked at the same time. */
const AT_ONCE = 10;

export async function someAtOnce<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  for (let at = 0; at < items.length; at += AT_ONCE) {
    answers.push(...(await Promise.all(items.slice(at, at + AT_ONCE).map(ask))));
  }
  return answers;
}

/** Whether the current run of a workflow has ended, or is of another chain than the one that is meant. */
async function hasEnded({ holder, holderRun }: HolderRun): Promise<boolean> {
  try {
    const { status, raw } = await getClient().workflow.getHandle(holder).describe();
    // Not every server tells the first run id.
    const firstRunId = raw.workflowExecutionInfo?.firstRunId || holderRun;
    return !isOpenRun(status.name) || (holderRun !== undefined && firstRunId !== holderRun);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return true;
    throw error;
  }
}

/**
 * How the last attempt of this activity ended: with a failure that it reported itself, without a word (a time-out), or
 * in a way that Temporal does not tell.
 */
export async function endOfLastAttempt(): Promise<'failure' | 'timeout' | 'unknown'> {
  const { lastFailure } = (await ownActivity()) ?? {};
  if (!lastFailure) return 'unknown';
  return lastFailure.timeoutFailureInfo ? 'timeout' : 'failure';
}

/**
 * Whether Temporal still counts on this attempt, and has not started another one meanwhile.
 *
 * @throws if Temporal cannot be reached
 */
export async function isCurrentAttempt(): Promise<boolean> {
  return (await ownActivity())?.attempt === activityInfo().attempt;
}

async function ownActivity() {
  const { activityId, workflowExecution } = activityInfo();
  if (!workflowExecution) return undefined;
  const client = getClient();
  const handle = client.workflow.getHandle(workflowExecution.workflowId, workflowExecution.runId);
  const { raw } = await client.withDeadline(Date.now() + OWN_QUESTION_MS, () => handle.describe());
  return raw.pendingActivities?.find((pending) => pending.activityId === activityId);
}

/** The id of the cluster that this worker works for. */
export function ownCluster(): Promise<string> {
  return clusterIdOf(getClient().workflowService);
}
