import type OpenAI from 'openai';
import type { BatchPlan } from './batch-timing.js';

export type BatchStatus = OpenAI.Batch['status'];

/** A batch enters `status` at the time `at` (epoch ms). */
export interface BatchTransition {
  readonly status: BatchStatus;
  readonly at: number;
}

export interface TimelineInputs {
  /** Epoch ms. */
  readonly createdAt: number;
  readonly plan: BatchPlan;
  /** Whether the input file is refused. */
  readonly refused: boolean;
  /** Epoch ms of the first accepted cancel. */
  readonly cancelledAt: number | null;
  /** Statuses that the batch leaves only by a cancel. */
  readonly stuckIn: readonly BatchStatus[];
  /** Whether a cancel comes too late: the batch goes from `cancelling` to `completed`. */
  readonly cancelLosesRace: boolean;
}

/**
 * All transitions of a batch, past and future, as a pure function. Its state is never stored: a request at any time
 * derives it from the transitions that have happened.
 */
export function batchTimeline(inputs: TimelineInputs): BatchTransition[] {
  const { plan, cancelledAt, stuckIn } = inputs;
  const planned = untilStuck(plannedTransitions(inputs), stuckIn);
  if (cancelledAt === null) return planned;
  const before = planned.filter(({ at }) => at <= cancelledAt);
  // A batch that is cancelled before the check of its input has nothing to complete.
  const completes = inputs.cancelLosesRace && before.at(-1)?.status !== 'validating';
  const cancel: BatchTransition[] = [
    { status: 'cancelling', at: cancelledAt },
    { status: completes ? 'completed' : 'cancelled', at: cancelledAt + plan.cancellingMs },
  ];
  return [...before, ...untilStuck(cancel, stuckIn)];
}

function plannedTransitions({ createdAt, plan, refused }: TimelineInputs): BatchTransition[] {
  const checkedAt = createdAt + plan.validatingMs;
  const answeredAll = checkedAt + plan.inProgressMs;
  const validating: BatchTransition = { status: 'validating', at: createdAt };
  const expired: BatchTransition = { status: 'expired', at: plan.expiresAt };
  if (checkedAt > plan.expiresAt) return [validating, expired];
  if (refused) return [validating, { status: 'failed', at: checkedAt }];
  const inProgress: BatchTransition = { status: 'in_progress', at: checkedAt };
  if (answeredAll > plan.expiresAt) return [validating, inProgress, expired];
  // A batch that is being finalized has answered everything and no longer expires.
  const completedAt = answeredAll + plan.finalizingMs;
  return [validating, inProgress, { status: 'finalizing', at: answeredAll }, { status: 'completed', at: completedAt }];
}

function untilStuck(transitions: BatchTransition[], stuckIn: readonly BatchStatus[]): BatchTransition[] {
  const stuck = transitions.findIndex(({ status }) => stuckIn.includes(status));
  return stuck < 0 ? transitions : transitions.slice(0, stuck + 1);
}

const ENDS: readonly BatchStatus[] = ['completed', 'failed', 'expired', 'cancelled'];
export const isBatchEnd = (status: BatchStatus): boolean => ENDS.includes(status);

/** How many of `total` requests are answered at `now`. Work stops at a cancel and at the expiry. */
export function answeredAt(inputs: TimelineInputs, total: number, now: number): number {
  const { createdAt, plan, cancelledAt, refused, stuckIn } = inputs;
  const checkedAt = createdAt + plan.validatingMs;
  if (inputs.cancelLosesRace && cancelledAt !== null && cancelledAt >= checkedAt) {
    if (now >= cancelledAt + plan.cancellingMs) return total;
  }
  const at = Math.min(now, cancelledAt ?? Infinity, plan.expiresAt);
  if (refused || at < checkedAt || stuckIn.includes('validating')) return 0;
  return plan.inProgressMs === 0 ? total : Math.min(total, Math.floor((total * (at - checkedAt)) / plan.inProgressMs));
}
