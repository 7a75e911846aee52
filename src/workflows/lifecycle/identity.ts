import { workflowInfo } from '@temporalio/workflow';
import { jobKeyOf, ORIGIN, type Origin } from '../../contract/job-key.js';

/** How much the provider's clock may differ from the Temporal server's. */
const CLOCK_SKEW_SECONDS = 900;

/** Longest part of a file name that is taken from the workflow id, in characters. */
const MAX_READABLE = 60;

/** Names and keys derived from the run. A reset keeps all of them. */
export interface Identity {
  /** The metadata value that ties a job to this run. */
  readonly key: string;
  /** Epoch seconds: no job and no upload of this run can be older. */
  readonly notBefore: number;
  /** Whether this run continues another one after a reset, so that its job may exist already. */
  readonly mayExist: boolean;
  /** A file name that no other run uses, for a file of this role. */
  readonly filename: (role: string) => string;
  /** A folder name that no other run uses. */
  readonly folder: string;
}

export function identity(): Identity {
  const { namespace, workflowId, runId, originalExecutionRunId, memo } = workflowInfo();
  const isReset = runId !== originalExecutionRunId;
  const origin = memo?.[ORIGIN] as Origin | undefined;
  const { runId: originRunId, notBefore, mayExist } = origin ?? ownOrigin();
  const folder = `${readable(workflowId)}.${originRunId}`;
  return {
    key: jobKeyOf({ namespace, workflowId, runId: originRunId }),
    notBefore,
    mayExist: mayExist || isReset,
    filename: (role) => `${folder}.${role}.jsonl`,
    folder,
  };
}

/** This run as the origin that its children name in their memo. */
export function ownOrigin(): Origin {
  const { runId, originalExecutionRunId, startTime } = workflowInfo();
  return {
    runId: originalExecutionRunId,
    notBefore: Math.floor(startTime.getTime() / 1_000) - CLOCK_SKEW_SECONDS,
    mayExist: runId !== originalExecutionRunId,
  };
}

/** The workflow id as a part of a file name. Of a long one the end is kept: it tells the parts of a bulk batch apart. */
function readable(workflowId: string): string {
  const name = workflowId.replace(/[^A-Za-z0-9._-]+/g, '-');
  return name.length <= MAX_READABLE ? name : `${name.slice(0, MAX_READABLE / 2 - 1)}~${name.slice(-MAX_READABLE / 2)}`;
}
