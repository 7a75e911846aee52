/**
 * The key by which a job is found again at the provider. The API has no idempotency header, so the create puts this
 * pair into the job's metadata. A retried create looks for it first, and `findOrphans` derives the owner of a job from
 * it.
 */
import { METADATA_LIMITS } from './limits.js';

/** Name of the metadata pair. */
export const JOB_KEY = 'temporal_llm_job';

/** Name of the memo field by which a bulk batch passes its `Origin` to the runs of its parts. */
export const ORIGIN = 'llmJobsOrigin';

/**
 * The bulk run whose id is in the key of a part's job, so that a bulk that was reset finds the jobs of its parts again.
 * It is the first of the runs that continued as new.
 */
export interface Origin {
  readonly runId: string;
  /** Epoch seconds, on Temporal's clock: no job and no file of that run is older. */
  readonly startedAt: number;
  /** Whether that run was reset, so that the job may already exist. */
  readonly mayExist: boolean;
}

/** Longest cluster id and longest namespace that are kept in a key, in characters. */
const MAX_CLUSTER_LENGTH = 64;
const MAX_NAMESPACE_LENGTH = 128;

/** So much of the end of a workflow id that is cut stays: the ids of a bulk batch's parts differ only there. */
const KEPT_END = 64;

/** A workflow run, as it is known inside its cluster. */
export interface RunOwner {
  /** Temporal's namespace. */
  readonly namespace: string;
  /** Workflow id of the run. A long one lacks its middle. */
  readonly workflowId: string;
  /**
   * The run id in the first event of the run, or of its bulk batch. A reset keeps it, so the job is found and adopted.
   * A retry of the workflow, a continue-as-new and the next run of a schedule have a new one, so they create a new job.
   */
  readonly runId: string;
}

/** The workflow run that a job belongs to. */
export interface JobOwner extends RunOwner {
  /** Id of the Temporal cluster; `-` where the server does not tell it. */
  readonly cluster: string;
}

/**
 * The key `cluster/namespace/workflowId/runId`. A workflow id that is too long for a metadata value loses its middle,
 * since the run id and the name of a part are unique together. The key is well-formed Unicode, so that it equals the one
 * that the provider returns.
 */
export function jobKeyOf(owner: JobOwner): string {
  const cluster = owner.cluster.replaceAll('/', '-').slice(0, MAX_CLUSTER_LENGTH) || '-';
  const namespace = owner.namespace.slice(0, MAX_NAMESPACE_LENGTH);
  const length = METADATA_LIMITS.valueLength - cluster.length - namespace.length - owner.runId.length - 3;
  return `${cluster}/${namespace}/${shortened(owner.workflowId, length)}/${owner.runId}`.toWellFormed();
}

function shortened(id: string, length: number): string {
  return id.length <= length ? id : `${id.slice(0, length - KEPT_END - 1)}~${id.slice(-KEPT_END)}`;
}

/** The owner that a key names; null if the value is not a key of this library. */
export function jobOwnerOf(key: string): JobOwner | null {
  const first = key.indexOf('/');
  const second = key.indexOf('/', first + 1);
  const last = key.lastIndexOf('/');
  if (first < 1 || second <= first + 1 || last <= second) return null;
  return {
    cluster: key.slice(0, first),
    namespace: key.slice(first + 1, second),
    workflowId: key.slice(second + 1, last),
    runId: key.slice(last + 1),
  };
}

/** The same for a run and for the owner that its key names; different for most other runs. */
export function runMarkOf({ workflowId, runId }: RunOwner): string {
  return `${runId}/${workflowId.slice(-KEPT_END).toWellFormed()}`;
}

/**
 * Whether a key names this run, in whichever cluster: run ids are unique, and a namespace that fails over to another
 * cluster takes its runs along.
 */
export function isKeyOf(key: string, owner: RunOwner): boolean {
  const cluster = jobOwnerOf(key)?.cluster;
  return cluster !== undefined && jobKeyOf({ ...owner, cluster }) === key;
}
