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
 */
export interface Origin {
  readonly runId: string;
  /** Epoch seconds. No job or file of that run can be older. */
  readonly notBefore: number;
  /** Whether that run was reset, so that the job may already exist. */
  readonly mayExist: boolean;
}

/** Longest namespace that is kept in a key, in characters. */
const MAX_NAMESPACE_LENGTH = 128;

/** The workflow run that a job belongs to. */
export interface JobOwner {
  readonly namespace: string;
  readonly workflowId: string;
  /**
   * The run id in the first event of the run, or of its bulk batch. A reset keeps it, so the job is found and adopted.
   * A retry of the workflow, a continue-as-new and the next run of a schedule have a new one, so they create a new job.
   */
  readonly runId: string;
}

/**
 * The key `namespace/workflowId/runId`. A workflow id that is too long for a metadata value is cut, since the run id
 * alone is unique. The key is well-formed Unicode, so that it equals the one that the provider returns.
 */
export function jobKeyOf(owner: JobOwner): string {
  const maxLength = METADATA_LIMITS.valueLength - owner.runId.length - 2;
  const namespace = owner.namespace.slice(0, MAX_NAMESPACE_LENGTH);
  return `${namespace}/${owner.workflowId.slice(0, maxLength - namespace.length)}/${owner.runId}`.toWellFormed();
}

/** The owner that a key names; null if the value is not a key of this library. */
export function jobOwnerOf(key: string): JobOwner | null {
  const first = key.indexOf('/');
  const last = key.lastIndexOf('/');
  if (first < 1 || last <= first) return null;
  return { namespace: key.slice(0, first), workflowId: key.slice(first + 1, last), runId: key.slice(last + 1) };
}
