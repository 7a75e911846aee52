import type OpenAI from 'openai';
import type { BatchPlan } from './batch-timing.js';

export type BatchStatus = OpenAI.Batch['status'];

/** A batch enters `status` at the moment `at` (epoch ms). */
export interface BatchTransition {
  readonly status: BatchStatus;
  readonly at: number;
}

export interface TimelineInputs {
  readonly plan: BatchPlan;
  /** The input file was refused. */
  readonly refused: boolean;
  /** Epoch ms of the first accepted cancel. */
  cancelledAt: number | undefined;
  /** Statuses that the batch never leaves by itself; a cancel still moves it to `cancelling`. */
  readonly stuckIn: readonly BatchStatus[];
  /** A cancel that comes too late: the batch goes from `cancelling` to `completed`. */
  readonly cancelLosesRace: boolean;
}

/**
 * The whole life of a batch, past and to come, as a pure function. State is never stored: a request at any time asks for
 * the part of the timeline that is over.
 */
export function batchTimeline(inputs: TimelineInputs): BatchTransition[] {
  const { plan, cancelledAt, stuckIn } = inputs;
  const planned = untilStuck(plannedTransitions(plan, inputs.refused), stuckIn);
  if (cancelledAt === undefined) return planned;
  const before = planned.filter(({ at }) => at <= cancelledAt);
  const end = cancelledAt + plan.cancellingMs;
  // A batch cancelled before its input was checked has nothing to complete.
  const completes = inputs.cancelLosesRace && before.at(-1)?.status !== 'validating';
  return [
    ...before,
    ...untilStuck(
      [
        { status: 'cancelling', at: cancelledAt },
        { status: completes ? 'completed' : 'cancelled', at: end },
      ],
      stuckIn,
    ),
  ];
}

function plannedTransitions(plan: BatchPlan, refused: boolean): BatchTransition[] {
  const checked = plan.createdAt + plan.validatingMs;
  const answered = checked + plan.inProgressMs;
  const transitions: BatchTransition[] = [{ status: 'validating', at: plan.createdAt }];
  const expired: BatchTransition = { status: 'expired', at: plan.expiresAt };
  if (checked > plan.expiresAt) return [...transitions, expired];
  if (refused) return [...transitions, { status: 'failed', at: checked }];
  transitions.push({ status: 'in_progress', at: checked });
  if (answered > plan.expiresAt) return [...transitions, expired];
  // A batch that is being finalized has done its work, and is not expired any more.
  return [
    ...transitions,
    { status: 'finalizing', at: answered },
    { status: 'completed', at: answered + plan.finalizingMs },
  ];
}

function untilStuck(transitions: BatchTransition[], stuckIn: readonly BatchStatus[]): BatchTransition[] {
  const stuck = transitions.findIndex(({ status }) => stuckIn.includes(status));
  return stuck < 0 ? transitions : transitions.slice(0, stuck + 1);
}

const ENDS: readonly BatchStatus[] = ['completed', 'failed', 'expired', 'cancelled'];
export const isEnd = (status: BatchStatus): boolean => ENDS.includes(status);

/** The transitions that have happened at `now`. Never empty. */
export function passed(timeline: readonly BatchTransition[], now: number): BatchTransition[] {
  const done = timeline.filter(({ at }) => at <= now);
  // The clock of a test may be set back behind the creation.
  return done.length > 0 ? done : timeline.slice(0, 1);
}

/** How many of `total` requests are answered at `now`. Work stops at a cancel and at the expiry. */
export function answeredAt(inputs: TimelineInputs, total: number, now: number): number {
  const { plan, cancelledAt } = inputs;
  const start = plan.createdAt + plan.validatingMs;
  if (cancelledAt !== undefined && inputs.cancelLosesRace && cancelledAt >= start) {
    if (now >= cancelledAt + plan.cancellingMs) return total;
  }
  const at = Math.min(now, cancelledAt ?? Infinity, plan.expiresAt);
  if (inputs.refused || at < start) return 0;
  if (inputs.stuckIn.includes('validating')) return 0;
  return plan.inProgressMs === 0 ? total : Math.min(total, Math.floor((total * (at - start)) / plan.inProgressMs));
}
