/** The runs that own jobs: found from the key in a job's metadata, and woken when their job may have changed. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { jobKeyOf, jobOwnerOf, ORIGIN, type JobOwner, type Origin } from '../contract/job-key.js';
import { clusterIdOf, isOpenRun } from './server.js';

export interface OwnerRun {
  readonly workflowId: string;
  readonly status: string;
  /** Null where the run no longer exists. */
  readonly taskQueue: string | null;
  /** Whether the run that owns the job is open, or the run that a reset made of it. */
  readonly isOpen: boolean;
}

/**
 * The owner that a key names if it is of the client's own namespace and cluster; null for any other value.
 *
 * @throws the error of the call if Temporal cannot be reached
 */
export async function ownerHere(temporal: Client, key: string | undefined): Promise<JobOwner | null> {
  const owner = key === undefined ? null : jobOwnerOf(key);
  if (owner?.namespace !== temporal.options.namespace) return null;
  return owner.cluster === (await clusterIdOf(temporal.workflowService)) ? owner : null;
}

/** The run that owns a job, or the run that a reset made of it. */
export async function ownerRunOf(temporal: Client, owner: JobOwner): Promise<OwnerRun> {
  const workflowId = await workflowIdOf(temporal, owner);
  const current = await describeRun(temporal, workflowId);
  if (current && (await ownerRunId(temporal, workflowId, current)) === owner.runId) return { workflowId, ...current };
  const original = await describeRun(temporal, workflowId, owner.runId);
  const { status = 'NOT_FOUND', isOpen = false, taskQueue = null } = original ?? {};
  return { workflowId, status, isOpen, taskQueue };
}

/**
 * Hints to the run of a workflow id that its job may have changed. A run that has nothing to do with the job may take
 * the hint, which is harmless: a hint only makes a run look at its own job.
 *
 * @returns false if no run under that workflow id is open
 * @throws the errors of the client if Temporal cannot be reached
 */
export async function wakeRun(temporal: Client, workflowId: string): Promise<boolean> {
  try {
    await temporal.workflow.getHandle(workflowId).signal('wake');
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** The same for the run that owns a job. */
export async function wakeOwner(temporal: Client, owner: JobOwner): Promise<boolean> {
  return wakeRun(temporal, await workflowIdOf(temporal, owner));
}

/** The workflow id of an owner. In a key of maximum length, its middle may be cut out. */
export async function workflowIdOf(temporal: Client, owner: JobOwner): Promise<string> {
  const isCut = jobKeyOf({ ...owner, workflowId: `${owner.workflowId}x` }).includes('~');
  if (!isCut) return owner.workflowId;
  const cut = owner.workflowId.lastIndexOf('~');
  const start = owner.workflowId.slice(0, cut).replaceAll("'", "''");
  const end = owner.workflowId.slice(cut + 1);
  for await (const run of temporal.workflow.list({ query: `WorkflowId STARTS_WITH '${start}'` })) {
    if (run.workflowId.toWellFormed().endsWith(end)) return run.workflowId;
  }
  return owner.workflowId;
}

async function describeRun(temporal: Client, workflowId: string, runId?: string) {
  try {
    const run = await temporal.workflow.getHandle(workflowId, runId).describe();
    const { status, memo, taskQueue } = run;
    return { status: status.name, isOpen: isOpenRun(status.name), runId: run.runId, memo, taskQueue };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/**
 * The run id in the key of a run's job: that of its bulk batch, or that of the run's first event, which a reset keeps.
 */
async function ownerRunId(
  temporal: Client,
  workflowId: string,
  { runId, memo }: { runId: string; memo?: Record<string, unknown> | undefined },
): Promise<string | undefined> {
  const origin = memo?.[ORIGIN] as Origin | undefined;
  if (origin) return origin.runId;
  const { history } = await temporal.workflowService.getWorkflowExecutionHistory({
    namespace: temporal.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  return history?.events?.[0]?.workflowExecutionStartedEventAttributes?.originalExecutionRunId ?? undefined;
}
