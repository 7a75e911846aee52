import { randomFor } from '../random.js';

interface StepMetrics {
  readonly step: number;
  readonly train_loss: number;
  readonly train_mean_token_accuracy: number;
  readonly valid_loss?: number;
  readonly valid_mean_token_accuracy?: number;
}

interface MetricsCurve {
  readonly seed: number;
  readonly fineTuningJobId: string;
  readonly steps: number;
  /** Whether there is a validation file. */
  readonly validated: boolean;
}

/** The loss and accuracy of a step, counted from 1: a falling curve with noise, fixed by the seed and the job. */
export function metricsOf({ seed, fineTuningJobId, steps, validated }: MetricsCurve, step: number): StepMetrics {
  const random = randomFor(seed, 'metrics', fineTuningJobId, step);
  const loss = (floor: number): number => round(floor + 2.2 * Math.exp((-4 * step) / steps) * (0.9 + 0.2 * random()));
  const train = loss(0.3);
  const metrics: StepMetrics = { step, train_loss: train, train_mean_token_accuracy: accuracy(train) };
  if (!validated) return metrics;
  const valid = loss(0.4);
  return { ...metrics, valid_loss: valid, valid_mean_token_accuracy: accuracy(valid) };
}

const round = (value: number): number => Math.round(value * 1e4) / 1e4;
const accuracy = (loss: number): number => round(Math.exp(-loss / 2));

/** The result file of a fine-tuning job, with one row a step. */
export function metricsCsv(curve: MetricsCurve): string {
  const rows = Array.from({ length: curve.steps }, (_, i) => {
    const metrics = metricsOf(curve, i + 1);
    return [
      metrics.step,
      metrics.train_loss,
      metrics.train_mean_token_accuracy,
      metrics.valid_loss ?? '',
      metrics.valid_mean_token_accuracy ?? '',
    ].join(',');
  });
  return `step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n${rows.join('\n')}\n`;
}
