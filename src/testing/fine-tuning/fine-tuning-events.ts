import { alphanumericId, randomFor } from '../random.js';
import { epochSeconds, type WireFineTuningEvent } from '../wire.js';
import {
  jobErrorOf,
  jobPassed,
  jobTimeline,
  trainingOf,
  tunedModel,
  type FineTuningRecord,
} from './fine-tuning-record.js';
import { momentOf, type FineTuningTransition } from './fine-tuning-timeline.js';
import { checkpointSteps } from './checkpoints.js';
import { metricsOf } from './step-metrics.js';

interface PlainEvent {
  /** Epoch ms. */
  readonly at: number;
  readonly message: string;
  readonly level?: WireFineTuningEvent['level'];
  /** `moderation_checks` is outside the API's own enum. */
  readonly type?: 'message' | 'metrics' | 'moderation_checks';
  readonly data?: unknown;
}

/** Steps that get an event of their own, at most; a longer training reports every n-th step. */
const MAX_STEP_EVENTS = 400;

/** All events of a job until `now`, newest first. */
export function fineTuningEvents(record: FineTuningRecord, now: number, seed: number): WireFineTuningEvent[] {
  const transitions = jobPassed(record, now).flatMap((transition, index) => messagesOf(record, transition, index));
  const steps = stepEvents(record, now, seed);
  const firstStep = steps[0]?.at;
  const tied = record.scenario.events === 'tied';
  // What shares a moment: the last step first, then the words that end the job.
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

function messagesOf(record: FineTuningRecord, { status, at }: FineTuningTransition, index: number): PlainEvent[] {
  const { order } = record;
  const say = (message: string): PlainEvent => ({ at, message });
  switch (status) {
    case 'validating_files': {
      const validation = order.validationFile === null ? '' : ` and validation file: ${order.validationFile}`;
      return [
        say(`Created fine-tuning job: ${record.id}`),
        say(`Validating training file: ${order.trainingFile}${validation}`),
      ];
    }
    case 'queued':
      return [say(index === 1 ? 'Files validated, moving job to queued state' : 'Fine-tuning job resumed')];
    case 'running':
      return [say('Fine-tuning job started')];
    case 'paused':
      return [say('Fine-tuning job paused')];
    case 'cancelled':
      return [say('Fine-tuning job cancelled')];
    case 'failed':
      return [{ at, level: 'error', message: jobErrorOf(record)?.message ?? 'The job has failed' }];
    default: {
      const model = tunedModel(record);
      return [
        say(`New fine-tuned model created: ${model}`),
        {
          at,
          message: `Moderation checks for snapshot ${model} passed.`,
          type: 'moderation_checks',
          data: { blocked: false, results: [], finetuned_model_checkpoint_id: model },
        },
        say('The job has successfully completed'),
      ];
    }
  }
}

function stepEvents(record: FineTuningRecord, now: number, seed: number): PlainEvent[] {
  const training = trainingOf(record);
  if (training === undefined) return [];
  const { steps } = training;
  const timeline = jobTimeline(record);
  const curve = { seed, jobId: record.id, steps, validated: record.order.validationFile !== null };
  const stride = Math.ceil(steps / MAX_STEP_EVENTS);
  const checkpoints = new Set(checkpointSteps(training));
  const events: PlainEvent[] = [];
  for (let step = 1; step <= steps; step++) {
    const reported = step % stride === 0 || step === steps;
    if (!reported && !checkpoints.has(step)) continue;
    const at = momentOf(timeline, (record.plan.runningMs * step) / steps);
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
