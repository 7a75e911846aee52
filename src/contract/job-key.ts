/**
 * The key by which a job is found again at the provider. There is no idempotency header, so the create puts this pair into the
 * job's metadata; a retried create looks for it first, and `findOrphans` traces a job back to its workflow by it.
 */
import { METADATA_LIMITS } from './limits.js';

/** Name of the metadata pair. */
export const JOB_KEY = 'temporal_llm_job';

/** Memo of a run that works for another one. */
export const ORIGIN = 'llmJobsOrigin';

/** By what the job of a bulk's part is known: the bulk's run, so that a bulk that was reset finds the jobs of its parts again. */
export interface Origin {
  readonly runId: string;
  /** Epoch seconds: nothing of that run can be older at the provider. */
  readonly notBefore: number;
  /** That run was reset, so the job may exist already. */
  readonly mayExist: boolean;
}

/** The workflow run that a job belongs to. */
export interface JobOwner {
  readonly namespace: string;
  readonly workflowId: string;
  /**
   * The run id of the run's first event, or of its bulk's. A reset keeps it (so the job is found and adopted), while a retry of the
   * workflow, a continue-as-new and the next run of a schedule get a new one (so they create a job of their own).
   */
  readonly runId: string;
}

/**
 * `namespace/workflowId/runId`. A workflow id too long for a metadata value is cut: the run id alone is unique. It stays
 * well-formed Unicode, since the key that the provider gives back is compared with it.
 */
export function jobKeyOf(owner: JobOwner): string {
  const room = METADATA_LIMITS.valueLength - owner.runId.length - 2;
  const namespace = owner.namespace.slice(0, 128);
  return `${namespace}/${owner.workflowId.slice(0, room - namespace.length)}/${owner.runId}`.toWellFormed();
}

/** The owner that a key names, or null where the value is not one of ours. */
export function jobOwnerOf(key: string): JobOwner | null {
  const first = key.indexOf('/');
  const last = key.lastIndexOf('/');
  if (first < 1 || last <= first) return null;
  return { namespace: key.slice(0, first), workflowId: key.slice(first + 1, last), runId: key.slice(last + 1) };
}
