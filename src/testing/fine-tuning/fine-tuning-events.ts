import { alphanumericId, randomFor } from '../random.js';
import { epochSeconds, type WireFineTuningEvent } from '../wire.js';
import { checkpointSteps } from './checkpoints.js';
import { fineTuningErrorOf, fineTuningTransitions, timelineOf, trainingOf, tunedModel } from './fine-tuning-record.js';
import type { FineTuningRecord } from './fine-tuning-record.js';
import { trainedAt, type FineTuningTransition } from './fine-tuning-timeline.js';
import { metricsOf } from './step-metrics.js';

interface PlainEvent {
  /** Epoch ms. */
  readonly at: number;
  readonly message: string;
  readonly level?: WireFineTuningEvent['level'];
  /** `moderation_checks` is not in the API's enum. */
  readonly type?: 'message' | 'metrics' | 'moderation_checks';
  readonly data?: unknown;
}

/** The most steps that are reported; a longer training reports every n-th step. */
const MAX_STEP_EVENTS = 400;

/** All events of a fine-tuning job until `now`, newest first. */
export function fineTuningEvents(record: FineTuningRecord, now: number, seed: number): WireFineTuningEvent[] {
  const transitions = fineTuningTransitions(record, now).flatMap((transition, index) =>
    transitionEvents(record, transition, index),
  );
  const steps = stepEvents(record, now, seed);
  const firstStep = steps[0]?.at;
  const tied = record.scenario.events === 'tied';
  // Of events at the same time, the last step precedes the messages of the end.
  return [...steps, ...transitions]
    .map((event, index) => ({ event, index }))
    .toSorted((a, b) => a.event.at - b.event.at || a.index - b.index)
    .map(({ event }) => ({
      object: 'fine_tuning.job.event' as const,
      id: `ftevent-${alphanumericId(24, randomFor(seed, 'event', record.id, event.message, event.at))}`,
      created_at: epochSeconds(tied && event.type === 'metrics' ? (firstStep ?? event.at) : event.at),
      level: event.level ?? 'info',
      message: event.message,
      data: event.data ?? {},
      type: (event.type ?? 'message') as WireFineTuningEvent['type'],
    }))
    .toReversed();
}

function transitionEvents(record: FineTuningRecord, { status, at }: FineTuningTransition, index: number): PlainEvent[] {
  const { params } = record;
  const event = (message: string): PlainEvent => ({ at, message });
  switch (status) {
    case 'validating_files': {
      const validation = params.validationFile === null ? '' : ` and validation file: ${params.validationFile}`;
      return [
        event(`Created fine-tuning job: ${record.id}`),
        event(`Validating training file: ${params.trainingFile}${validation}`),
      ];
    }
    case 'queued':
      return [event(index === 1 ? 'Files validated, moving job to queued state' : 'Fine-tuning job resumed')];
    case 'running':
      return [event('Fine-tuning job started')];
    case 'paused':
      return [event('Fine-tuning job paused')];
    case 'cancelled':
      return [event('Fine-tuning job cancelled')];
    case 'failed':
      return [{ at, level: 'error', message: fineTuningErrorOf(record)?.message ?? 'The job has failed' }];
    default: {
      const model = tunedModel(record);
      return [
        event(`New fine-tuned model created: ${model}`),
        {
          at,
          message: `Moderation checks for snapshot ${model} passed.`,
          type: 'moderation_checks',
          data: { blocked: false, results: [], finetuned_model_checkpoint_id: model },
        },
        event('The job has successfully completed'),
      ];
    }
  }
}

function stepEvents(record: FineTuningRecord, now: number, seed: number): PlainEvent[] {
  const training = trainingOf(record);
  if (training === undefined) return [];
  const { steps } = training;
  const timeline = timelineOf(record);
  const curve = { seed, fineTuningJobId: record.id, steps, validated: record.params.validationFile !== null };
  const interval = Math.ceil(steps / MAX_STEP_EVENTS);
  const checkpoints = new Set(checkpointSteps(training));
  const events: PlainEvent[] = [];
  for (let step = 1; step <= steps; step++) {
    const reported = step % interval === 0 || step === steps;
    if (!reported && !checkpoints.has(step)) continue;
    const at = trainedAt(timeline, (record.plan.runningMs * step) / steps);
    if (at === undefined || at > now) break;
    if (reported) {
      const metrics = metricsOf(curve, step);
      const valid = metrics.valid_loss === undefined ? '' : `, validation loss=${metrics.valid_loss.toFixed(2)}`;
      events.push({
        at,
        type: 'metrics',
        message: `Step ${step}/${steps}: training loss=${metrics.train_loss.toFixed(2)}${valid}`,
        data: { ...metrics, total_steps: steps },
      });
    }
    if (checkpoints.has(step) && step < steps) events.push({ at, message: `Checkpoint created at step ${step}` });
  }
  return events;
}
