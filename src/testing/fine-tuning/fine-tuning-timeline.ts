import type { FineTuningPlan } from './fine-tuning-timing.js';

/** `paused` is in no enum of the API, but in the example of its pause endpoint. */
export type FineTuningStatus =
  'validating_files' | 'queued' | 'running' | 'paused' | 'succeeded' | 'failed' | 'cancelled';

/** A fine-tuning job enters `status` at the time `at` (epoch ms). */
export interface FineTuningTransition {
  readonly status: FineTuningStatus;
  readonly at: number;
}

/** Epoch ms; `resumedAt` is null for a pause that has not ended. */
export interface Pause {
  readonly pausedAt: number;
  readonly resumedAt: number | null;
}

/** A time of running without a pause: from `from` to `until` (epoch ms), with `elapsed` ms of training done before. */
interface RunSegment {
  readonly from: number;
  readonly until: number;
  readonly elapsed: number;
}

export interface FineTuningInputs {
  /** Epoch ms. */
  readonly createdAt: number;
  readonly plan: FineTuningPlan;
  /** The stage that ends as `failed`; for running, the share of the training before (1: after the last step). */
  readonly failsIn: 'validating_files' | 'queued' | { readonly runningShare: number } | null;
  /** In the order of their times; only the last may not have ended. */
  readonly pauses: readonly Pause[];
  /** Epoch ms. */
  readonly cancelledAt: number | null;
  /** Statuses that the job leaves only by a pause or a cancel. */
  readonly stuckIn: readonly FineTuningStatus[];
}

export interface FineTuningTimeline {
  readonly transitions: readonly FineTuningTransition[];
  readonly segments: readonly RunSegment[];
}

/** All transitions of a fine-tuning job, past and future, as a pure function of what has been decided so far. */
export function fineTuningTimeline(inputs: FineTuningInputs): FineTuningTimeline {
  const planned = plannedTimeline(inputs);
  const { cancelledAt } = inputs;
  if (cancelledAt === null) return planned;
  return {
    transitions: [
      ...planned.transitions.filter(({ at }) => at <= cancelledAt),
      { status: 'cancelled', at: cancelledAt },
    ],
    segments: planned.segments
      .filter(({ from }) => from <= cancelledAt)
      .map((segment) => ({ ...segment, until: Math.min(segment.until, cancelledAt) })),
  };
}

function plannedTimeline(inputs: FineTuningInputs): FineTuningTimeline {
  const { createdAt, plan, failsIn, stuckIn } = inputs;
  const validating: FineTuningTransition = { status: 'validating_files', at: createdAt };
  const checkedAt = createdAt + plan.validatingMs;
  if (stuckIn.includes('validating_files')) return { transitions: [validating], segments: [] };
  if (failsIn === 'validating_files') {
    return { transitions: [validating, { status: 'failed', at: checkedAt }], segments: [] };
  }
  const { transitions, segments } = queuedAndRunning(inputs, checkedAt);
  return { transitions: [validating, ...transitions], segments };
}

/** The transitions after validation: the job is queued and runs, again after each pause. */
function queuedAndRunning(inputs: FineTuningInputs, checkedAt: number): FineTuningTimeline {
  const { plan, failsIn, stuckIn } = inputs;
  const trainingMs = plan.runningMs * (failsIn !== null && typeof failsIn === 'object' ? failsIn.runningShare : 1);
  const transitions: FineTuningTransition[] = [];
  const segments: RunSegment[] = [];
  const pauses = [...inputs.pauses];
  let status: FineTuningStatus = 'queued';
  let at = checkedAt;
  let elapsed = 0;
  while (true) {
    transitions.push({ status, at });
    if (status !== 'queued' && status !== 'running') return { transitions, segments };
    const planned: number = stuckIn.includes(status)
      ? Infinity
      : at + (status === 'queued' ? plan.queuedMs : trainingMs - elapsed);
    const pause = pauses[0];
    const paused = pause !== undefined && pause.pausedAt <= planned;
    const until = paused ? pause.pausedAt : planned;
    if (status === 'running') {
      segments.push({ from: at, until, elapsed });
      elapsed += until - at;
    }
    if (paused) {
      pauses.shift();
      transitions.push({ status: 'paused', at: until });
      if (pause.resumedAt === null) return { transitions, segments };
      [status, at] = ['queued', pause.resumedAt];
    } else {
      if (until === Infinity) return { transitions, segments };
      [status, at] = [statusAfter(status, failsIn), until];
    }
  }
}

function statusAfter(status: 'queued' | 'running', failsIn: FineTuningInputs['failsIn']): FineTuningStatus {
  if (status === 'queued') return failsIn === 'queued' ? 'failed' : 'running';
  return failsIn === null ? 'succeeded' : 'failed';
}

/** The epoch ms at which this much training (ms) is done; undefined if it never is. */
export function trainedAt({ segments }: FineTuningTimeline, elapsed: number): number | undefined {
  const segment = segments.find(({ from, until, elapsed: before }) => before + until - from >= elapsed);
  return segment === undefined ? undefined : segment.from + elapsed - segment.elapsed;
}

const ENDS: readonly FineTuningStatus[] = ['succeeded', 'failed', 'cancelled'];
export const isFineTuningEnd = (status: FineTuningStatus): boolean => ENDS.includes(status);
