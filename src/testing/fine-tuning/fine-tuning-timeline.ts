import type { FineTuningPlan } from './fine-tuning-timing.js';

/** `paused` is in no enum of the API, but in the pause endpoint's own example. */
export type FineTuningStatus =
  'validating_files' | 'queued' | 'running' | 'paused' | 'succeeded' | 'failed' | 'cancelled';

export interface FineTuningTransition {
  readonly status: FineTuningStatus;
  /** Epoch ms. */
  readonly at: number;
}

/** A stretch of running: from `from` to `until` (epoch ms), with `elapsed` ms of training done before. */
export interface RunSegment {
  readonly from: number;
  readonly until: number;
  readonly elapsed: number;
}

export interface FineTuningInputs {
  readonly plan: FineTuningPlan;
  /** The stage that ends in `failed`; of running, the share that is trained by then (1: after the last step). */
  readonly failsIn: 'validating_files' | 'queued' | { runningShare: number } | undefined;
  /** Pauses in their order; a last one may be open. */
  readonly pauses: readonly { pausedAt: number; resumedAt?: number }[];
  cancelledAt: number | undefined;
  /** Statuses that the job never leaves by itself. */
  readonly stuckIn: readonly FineTuningStatus[];
}

export interface FineTuningTimeline {
  readonly transitions: FineTuningTransition[];
  readonly segments: RunSegment[];
}

/** The whole life of a job, past and to come, as a pure function of what was decided so far. */
export function fineTuningTimeline(inputs: FineTuningInputs): FineTuningTimeline {
  const planned = plannedTimeline(inputs);
  const { cancelledAt } = inputs;
  if (cancelledAt === undefined) return planned;
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

function plannedTimeline({ plan, failsIn, pauses, stuckIn }: FineTuningInputs): FineTuningTimeline {
  const transitions: FineTuningTransition[] = [{ status: 'validating_files', at: plan.createdAt }];
  const segments: RunSegment[] = [];
  const enter = (status: FineTuningStatus, at: number): void => void transitions.push({ status, at });
  const done = { transitions, segments };
  if (stuckIn.includes('validating_files')) return done;
  let since = plan.createdAt + plan.validatingMs;
  if (failsIn === 'validating_files') {
    enter('failed', since);
    return done;
  }
  enter('queued', since);
  let status: 'queued' | 'running' = 'queued';
  let elapsed = 0;
  const trainingMs = plan.runningMs * (typeof failsIn === 'object' ? failsIn.runningShare : 1);
  const holds = [...pauses];
  for (;;) {
    const length: number = status === 'queued' ? plan.queuedMs : trainingMs - elapsed;
    const until: number = stuckIn.includes(status) ? Infinity : since + length;
    const hold = holds[0];
    const stop: number = hold !== undefined && hold.pausedAt < until ? hold.pausedAt : until;
    if (status === 'running') {
      segments.push({ from: since, until: stop, elapsed });
      elapsed += stop - since;
    }
    if (hold !== undefined && stop === hold.pausedAt) {
      holds.shift();
      enter('paused', stop);
      if (hold.resumedAt === undefined) return done;
      enter('queued', hold.resumedAt);
      [status, since] = ['queued', hold.resumedAt];
    } else if (stop === Infinity) {
      return done;
    } else if (status === 'queued') {
      enter(failsIn === 'queued' ? 'failed' : 'running', stop);
      if (failsIn === 'queued') return done;
      [status, since] = ['running', stop];
    } else {
      enter(failsIn === undefined ? 'succeeded' : 'failed', stop);
      return done;
    }
  }
}

/** The epoch ms at which so much training (ms) is done; undefined if it never is. */
export function momentOf({ segments }: FineTuningTimeline, elapsed: number): number | undefined {
  const segment = segments.find(({ from, until, elapsed: before }) => before + until - from >= elapsed);
  return segment === undefined ? undefined : segment.from + elapsed - segment.elapsed;
}

const ENDS: readonly FineTuningStatus[] = ['succeeded', 'failed', 'cancelled'];
export const isJobEnd = (status: FineTuningStatus): boolean => ENDS.includes(status);
