/** Jobs at a provider that nobody follows any more: their run was terminated, or ended without them. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { JOB_KEY, jobOwnerOf, ORIGIN, type JobOwner, type Origin } from '../contract/job-key.js';
import { BATCHES, FINE_TUNING_JOBS } from '../provider/job-kinds.js';
import { METADATA_LIMITS } from '../contract/limits.js';
import type { OpenAIClient } from '../provider/openai-client.js';
import { eachObject, pageSchema } from '../provider/pages.js';

export type OrphanKind = 'batch' | 'fineTuning';

export interface FindOrphansOptions {
  /** The namespace's client: jobs of runs in other namespaces are not judged. */
  readonly temporal: Client;
  /** The account to look through. Its own retries apply. */
  readonly openai: OpenAIClient;
  /** Only jobs created since then. Default: 30 days ago. */
  readonly since?: Date;
  /** Default: both. A provider without one of the lists has none of its kind. */
  readonly kinds?: readonly OrphanKind[];
  /** Cancels each orphan at the provider. Default false: only looks. */
  readonly cancel?: boolean;
}

export interface Orphan {
  readonly kind: OrphanKind;
  readonly jobId: string;
  /** The provider's status, as it was when it was found. */
  readonly status: string;
  /** Epoch seconds; null where the provider does not say. */
  readonly createdAt: number | null;
  /** The run that created it. A reset keeps the run id of the first. */
  readonly owner: JobOwner;
  /** How that run ended, in Temporal's words; `NOT_FOUND` when the namespace no longer has it. */
  readonly runStatus: string;
  /** Whether it was told to cancel. False too where it had ended in the meantime. */
  readonly isCancelled: boolean;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

const KINDS = { batch: BATCHES, fineTuning: FINE_TUNING_JOBS } as const;

/**
 * Finds jobs that have not ended although the run that created them has: it was terminated, it failed (`JobStuck`, `ApiRefused`), or it
 * is gone. They are told by the key in their metadata, so only jobs of this library are ever touched.
 *
 * @example
 * ```ts
 * const orphans = await findOrphans({ temporal: client, openai: new OpenAI(), cancel: true });
 * for (const { jobId, owner, run } of orphans) console.log(`${jobId} of ${owner.workflowId} (${run}) was cancelled`);
 * ```
 * @throws the errors of the two clients; an error in the middle leaves the rest for the next call
 */
export async function findOrphans(options: FindOrphansOptions): Promise<Orphan[]> {
  const { temporal, openai, kinds = ['batch', 'fineTuning'], cancel = false } = options;
  const since = Math.floor((options.since ?? new Date(Date.now() - 30 * DAY_MS)).getTime() / 1_000);
  const orphans: Orphan[] = [];
  for (const kind of kinds) {
    for await (const { job, owner } of openJobs(openai, kind, since)) {
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

/** Jobs that have not ended and carry a key of ours, newest first. */
async function* openJobs(openai: OpenAIClient, kind: OrphanKind, since: number) {
  const { path, pageSize: limit, schema, statuses } = KINDS[kind];
  const objects = eachObject(async (after) => {
    try {
      return pageSchema.parse(await openai.get(path, { query: { limit, ...after } }));
    } catch (error) {
      if (statusOf(error) === 404) return { data: [], has_more: false };
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

/** How the run ended that a job belongs to; null while it, or what a reset made of it, goes on. */
async function endOf(temporal: Client, owner: JobOwner): Promise<string | null> {
  const workflowId = await wholeWorkflowId(temporal, owner);
  const current = await statusOfRun(temporal, workflowId);
  if (current && (await ownerRunId(temporal, workflowId, current)) === owner.runId) {
    return current.isOpen ? null : current.status;
  }
  const own = await statusOfRun(temporal, workflowId, owner.runId);
  return own?.isOpen ? null : (own?.status ?? 'NOT_FOUND');
}

/** A key of full length may name only the beginning of the workflow id; the run id is whole. */
async function wholeWorkflowId(temporal: Client, { namespace, workflowId, runId }: JobOwner): Promise<string> {
  const isWhole = namespace.length + workflowId.length + runId.length + 2 < METADATA_LIMITS.valueLength;
  if (isWhole) return workflowId;
  for await (const run of temporal.workflow.list({ query: `RunId = '${runId}'` })) return run.workflowId;
  return workflowId;
}

async function statusOfRun(temporal: Client, workflowId: string, runId?: string) {
  try {
    const { status, runId: described, memo } = await temporal.workflow.getHandle(workflowId, runId).describe();
    return { status: status.name, isOpen: status.name === 'RUNNING', runId: described, memo };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** The run id that the run's job is known by: of its bulk, or of its own first event, which a reset keeps. */
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

/** False for a job that has ended or gone in the meantime. */
async function cancelJob(openai: OpenAIClient, kind: OrphanKind, id: string): Promise<boolean> {
  try {
    await (kind === 'batch' ? openai.batches.cancel(id) : openai.fineTuning.jobs.cancel(id));
    return true;
  } catch (error) {
    if ([400, 404, 409].includes(statusOf(error) ?? 0)) return false;
    throw error;
  }
}

function statusOf(error: unknown): number | undefined {
  const status: unknown = error instanceof Error && 'status' in error ? error.status : undefined;
  return typeof status === 'number' ? status : undefined;
}
