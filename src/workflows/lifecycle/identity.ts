import { workflowInfo } from '@temporalio/workflow';
import { ORIGIN, type Origin, type RunOwner } from '../../contract/job-key.js';

/** How much the provider's clock may differ from the Temporal server's. */
const CLOCK_SKEW_SECONDS = 900;

/** So much of the workflow id is in a file name, in characters: its start, and its end, where the name of a part is. */
const READABLE = { start: 30, end: 29 };

/** Names and keys derived from the run. A reset keeps all of them. */
export interface Identity {
  /** What the key in a job's metadata says of this run. */
  readonly owner: RunOwner;
  /** Epoch seconds, on Temporal's clock: no job of this run is older. */
  readonly startedAt: number;
  /** Epoch seconds: no upload of this run can be older. */
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
  const origin = (memo?.[ORIGIN] as Origin | undefined) ?? ownOrigin();
  const folder = `${readable(workflowId)}.${origin.runId}`;
  return {
    owner: { namespace, workflowId, runId: origin.runId },
    startedAt: origin.startedAt,
    notBefore: origin.startedAt - CLOCK_SKEW_SECONDS,
    mayExist: origin.mayExist || isReset,
    filename: (role) => `${folder}.${role}.jsonl`,
    folder,
  };
}

function readable(workflowId: string): string {
  const name = workflowId.replace(/[^A-Za-z0-9._-]+/g, '-');
  const { start, end } = READABLE;
  return name.length <= start + end ? name : `${name.slice(0, start)}-${name.slice(-end)}`;
}

/**
 * This run as the origin that the runs of its parts name in their memo.
 *
 * @param continued the origin of the run that this one continues as new. It stays the origin of all parts, so that a
 *   reset of any run of the chain finds their jobs
 */
export function ownOrigin(continued?: Origin): Origin {
  const { runId, originalExecutionRunId, startTime } = workflowInfo();
  const isReset = runId !== originalExecutionRunId;
  if (continued) return { ...continued, mayExist: continued.mayExist || isReset };
  return {
    runId: originalExecutionRunId,
    startedAt: Math.floor(startTime.getTime() / 1_000),
    mayExist: isReset,
  };
}
