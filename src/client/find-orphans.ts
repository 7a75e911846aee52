/** Jobs at a provider that no run follows any more: their run was terminated, or ended before them. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { JOB_KEY, jobOwnerOf, ORIGIN, type JobOwner, type Origin } from '../contract/job-key.js';
import { BATCHES, FINE_TUNING_JOBS } from '../provider/job-kinds.js';
import { METADATA_LIMITS } from '../contract/limits.js';
import type { OpenAIClient } from '../provider/openai-client.js';
import { eachObject, pageSchema } from '../provider/pages.js';
import { httpStatusOf } from '../provider/reply.js';

export type OrphanKind = 'batch' | 'fineTuning';

export interface FindOrphansOptions {
  /** A client of the namespace to search. Jobs of runs in other namespaces are ignored. */
  readonly temporal: Client;
  /** A client of the account to search. Its retries apply. */
  readonly openai: OpenAIClient;
  /**
   * Jobs that were created earlier are ignored.
   * @default 30 days ago
   */
  readonly since?: Date;
  /**
   * Kinds of jobs to search for. A provider without the list of a kind (404) counts as having none.
   * @default ['batch', 'fineTuning']
   */
  readonly kinds?: readonly OrphanKind[];
  /**
   * Whether to cancel each orphan at the provider.
   * @default false
   */
  readonly cancel?: boolean;
}

export interface Orphan {
  readonly kind: OrphanKind;
  readonly jobId: string;
  /** The provider's status at the time when the orphan was found. */
  readonly status: string;
  /** Epoch seconds; null where the provider does not say. */
  readonly createdAt: number | null;
  /** The run that created it. A reset keeps the run id of the first. */
  readonly owner: JobOwner;
  /** Temporal's status of that run, such as `TERMINATED`; `NOT_FOUND` if the namespace no longer has it. */
  readonly runStatus: string;
  /** Whether this call cancelled it. Also false if the job had ended in the meantime. */
  readonly isCancelled: boolean;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

const KINDS = { batch: BATCHES, fineTuning: FINE_TUNING_JOBS } as const;

/**
 * Finds jobs that have not ended although the run that created them has: it was terminated, it failed (`JobStuck`,
 * `ApiRefused`), or it no longer exists. Jobs are recognised by the key in their metadata, so only jobs of this library
 * are ever cancelled.
 *
 * @example
 * ```ts
 * const orphans = await findOrphans({ temporal: client, openai: new OpenAI(), cancel: true });
 * for (const { jobId, owner, runStatus } of orphans) console.log(`${jobId} of ${owner.workflowId} (${runStatus})`);
 * ```
 * @throws the errors of the two clients; after an error, a further call finds the remaining orphans
 */
export async function findOrphans(options: FindOrphansOptions): Promise<Orphan[]> {
  const { temporal, openai, kinds = ['batch', 'fineTuning'], cancel = false } = options;
  const since = Math.floor((options.since ?? new Date(Date.now() - 30 * DAY_MS)).getTime() / 1_000);
  const orphans: Orphan[] = [];
  for (const kind of kinds) {
    for await (const { job, owner } of unfinishedJobs(openai, kind, since)) {
      if (owner.namespace !== temporal.options.namespace) continue;
      const run = await endOf(temporal, owner);
      if (run === null) continue;
      const { id: jobId, status } = job;
      const isCancelled = cancel && (await cancelJob(openai, kind, jobId));
      orphans.push({ kind, jobId, status, createdAt: job.timestamps.createdAt, owner, runStatus: run, isCancelled });
    }
  }
  return orphans;
}

/** Jobs that have not ended and carry a key of this library, newest first. */
async function* unfinishedJobs(openai: OpenAIClient, kind: OrphanKind, since: number) {
  const { path, pageSize: limit, schema, statuses } = KINDS[kind];
  const objects = eachObject(async (after) => {
    try {
      return pageSchema.parse(await openai.get(path, { query: { limit, ...after } }));
    } catch (error) {
      if (httpStatusOf(error) === 404) return { data: [], has_more: false };
      throw error;
    }
  });
  for await (const object of objects) {
    const job = schema.safeParse(object).data;
    if (!job) continue;
    const { createdAt } = job.timestamps;
    if (createdAt !== null && createdAt < since) return;
    const owner = jobOwnerOf(job.metadata[JOB_KEY] ?? '');
    if (owner && !statuses.isEnd(job.status)) yield { job, owner };
  }
}

/** How the run that owns a job ended; null while it runs, or while the run that a reset made of it does. */
async function endOf(temporal: Client, owner: JobOwner): Promise<string | null> {
  const workflowId = await fullWorkflowId(temporal, owner);
  const current = await statusOfRun(temporal, workflowId);
  if (current && (await ownerRunId(temporal, workflowId, current)) === owner.runId) {
    return current.isRunning ? null : current.status;
  }
  const original = await statusOfRun(temporal, workflowId, owner.runId);
  return original?.isRunning ? null : (original?.status ?? 'NOT_FOUND');
}

/** The workflow id of an owner. In a key of maximum length it may be cut, while the run id is always complete. */
async function fullWorkflowId(temporal: Client, { namespace, workflowId, runId }: JobOwner): Promise<string> {
  const isComplete = namespace.length + workflowId.length + runId.length + 2 < METADATA_LIMITS.valueLength;
  if (isComplete) return workflowId;
  for await (const run of temporal.workflow.list({ query: `RunId = '${runId}'` })) return run.workflowId;
  return workflowId;
}

async function statusOfRun(temporal: Client, workflowId: string, runId?: string) {
  try {
    const { status, runId: described, memo } = await temporal.workflow.getHandle(workflowId, runId).describe();
    return { status: status.name, isRunning: status.name === 'RUNNING', runId: described, memo };
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

/** Cancels a job. Returns false if it has ended or disappeared in the meantime. */
async function cancelJob(openai: OpenAIClient, kind: OrphanKind, id: string): Promise<boolean> {
  try {
    await KINDS[kind].cancel(openai, id);
    return true;
  } catch (error) {
    if ([400, 404, 409].includes(httpStatusOf(error) ?? 0)) return false;
    throw error;
  }
}
