import { alphanumericId, randomFor } from '../random.js';
import { epochSeconds, type WireCheckpoint } from '../wire.js';
import { timelineOf, trainingOf, tunedModel, type FineTuningRecord, type Training } from './fine-tuning-record.js';
import { trainedAt } from './fine-tuning-timeline.js';
import { metricsOf } from './step-metrics.js';

/** The API keeps the checkpoints of the last three epochs. */
const KEPT_CHECKPOINTS = 3;

/** The steps after which there is a checkpoint: the last of every epoch. */
export function checkpointSteps({ steps, epochs }: Pick<Training, 'steps' | 'epochs'>): number[] {
  return Array.from({ length: epochs }, (_, epoch) => Math.round((steps * (epoch + 1)) / epochs));
}

/** The checkpoints that a fine-tuning job has at `now`, newest first. */
export function checkpointsOf(record: FineTuningRecord, now: number, seed: number): WireCheckpoint[] {
  const training = trainingOf(record);
  if (training === undefined) return [];
  const { steps } = training;
  const validated = record.params.validationFile !== null;
  const timeline = timelineOf(record);
  const created = checkpointSteps(training).flatMap((step) => {
    const at = trainedAt(timeline, (record.plan.runningMs * step) / steps);
    return at === undefined || at > now ? [] : [{ step, at }];
  });
  return created
    .slice(-KEPT_CHECKPOINTS)
    .toReversed()
    .map(({ step, at }) => {
      const metrics = metricsOf({ seed, fineTuningJobId: record.id, steps, validated }, step);
      return {
        object: 'fine_tuning.job.checkpoint',
        id: `ftckpt_${alphanumericId(24, randomFor(seed, 'checkpoint', record.id, step))}`,
        created_at: epochSeconds(at),
        fine_tuned_model_checkpoint: `${tunedModel(record)}:ckpt-step-${step}`,
        fine_tuning_job_id: record.id,
        metrics: {
          ...metrics,
          ...(validated
            ? {
                full_valid_loss: metrics.valid_loss!,
                full_valid_mean_token_accuracy: metrics.valid_mean_token_accuracy!,
              }
            : {}),
        },
        step_number: step,
      } satisfies WireCheckpoint;
    });
}
