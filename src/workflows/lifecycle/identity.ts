import { workflowInfo } from '@temporalio/workflow';
import { jobKeyOf, ORIGIN, type Origin } from '../../contract/job-key.js';

/** The provider's clock may differ from the server's by this much, in seconds. */
const CLOCK_SKEW = 900;

/** By what this run and what belongs to it are known at the provider. A reset keeps all of it. */
export interface Identity {
  readonly key: string;
  /** Epoch seconds: nothing of this run can be older at the provider. */
  readonly notBefore: number;
  /** This run is the continuation of another after a reset, so its job may exist already. */
  readonly mayExist: boolean;
  /** A file name that no other run uses. */
  readonly filename: (role: string) => string;
  /** A folder name that no other run uses. */
  readonly folder: string;
}

export function identity(): Identity {
  const { namespace, workflowId, runId, originalExecutionRunId } = workflowInfo();
  const isRepeated = runId !== originalExecutionRunId;
  const origin = workflowInfo().memo?.[ORIGIN] as Origin | undefined;
  const { runId: known, notBefore, mayExist } = origin ?? ownOrigin();
  const readable = workflowId.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 60);
  return {
    key: jobKeyOf({ namespace, workflowId, runId: known }),
    notBefore,
    mayExist: mayExist || isRepeated,
    filename: (role) => `${readable}.${known}.${role}.jsonl`,
    folder: `${readable}.${known}`,
  };
}

/** This run as the origin of others. */
export function ownOrigin(): Origin {
  const { runId, originalExecutionRunId, startTime } = workflowInfo();
  return {
    runId: originalExecutionRunId,
    notBefore: Math.floor(startTime.getTime() / 1_000) - CLOCK_SKEW,
    mayExist: runId !== originalExecutionRunId,
  };
}
