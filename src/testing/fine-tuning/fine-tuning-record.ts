import type OpenAI from 'openai';
import type { ReadCounters } from '../read-scenario.js';
import type { FineTuningScenario } from './fine-tuning-scenario.js';
import { fineTuningTimeline, type FineTuningTimeline, type FineTuningTransition } from './fine-tuning-timeline.js';
import type { FineTuningPlan } from './fine-tuning-timing.js';
import { resolveAuto, trainingSteps, type MethodChoice } from './hyperparameters.js';
import type { ExampleFile, JobError } from './inspect-examples.js';

/** What `fineTuning.jobs.create` was given, checked. */
export interface FineTuningOrder {
  readonly model: string;
  readonly trainingFile: string;
  readonly validationFile: string | null;
  readonly method: MethodChoice;
  readonly suffix: string | null;
  readonly seed: number;
  readonly integrations: OpenAI.FineTuning.FineTuningJobIntegration[];
  readonly metadata: Record<string, string> | null;
}

/** What the check of the files has found. */
export interface CheckedFiles {
  readonly training: ExampleFile;
  readonly error: JobError | undefined;
}

/** Everything that is known of one job. Its state at a time is derived, see `fine-tuning-timeline.ts`. */
export interface FineTuningRecord {
  readonly id: string;
  readonly order: FineTuningOrder;
  readonly plan: FineTuningPlan;
  readonly scenario: FineTuningScenario;
  /** The last part of the tuned model's name. */
  readonly modelId: string;
  /** Epoch ms, as all moments here. */
  cancelledAt: number | undefined;
  readonly pauses: { pausedAt: number; resumedAt?: number }[];
  /** The scenario's own pause has been made. */
  pausedItself: boolean;
  /** Known from the end of validation on. */
  checked: CheckedFiles | undefined;
  /** Known from success on. */
  resultFiles: string[] | undefined;
  readonly reads: ReadCounters;
}

export function jobTimeline(record: FineTuningRecord): FineTuningTimeline {
  return fineTuningTimeline({
    plan: record.plan,
    failsIn: failureStage(record),
    pauses: record.pauses,
    cancelledAt: record.cancelledAt,
    stuckIn: record.scenario.stuckIn ?? [],
  });
}

function failureStage({ checked, scenario }: FineTuningRecord) {
  if (checked?.error !== undefined) return 'validating_files';
  const stage = scenario.fail?.in;
  if (stage === undefined || stage === 'validating_files' || stage === 'queued') return stage;
  return { runningShare: stage === 'end' ? 1 : (scenario.fail?.share ?? 0.5) };
}

/** Why the job failed, for one that did. */
export function jobErrorOf({ checked, scenario }: FineTuningRecord): JobError | null {
  if (checked?.error !== undefined) return checked.error;
  const { fail } = scenario;
  if (fail === undefined) return null;
  return { code: fail.code, message: fail.message, param: fail.param ?? null };
}

/** The transitions that have happened at `now`. Never empty. */
export function jobPassed(record: FineTuningRecord, now: number): FineTuningTransition[] {
  const { transitions } = jobTimeline(record);
  const done = transitions.filter(({ at }) => at <= now);
  return done.length > 0 ? done : transitions.slice(0, 1);
}

export const jobStateAt = (record: FineTuningRecord, now: number): FineTuningTransition =>
  jobPassed(record, now).at(-1)!;

/** The size of the training, once the files are checked. */
export interface Training {
  readonly method: MethodChoice;
  readonly steps: number;
  readonly epochs: number;
  readonly tokens: number;
}

export function trainingOf({ checked, order }: FineTuningRecord): Training | undefined {
  if (checked === undefined || checked.error !== undefined) return undefined;
  const method = resolveAuto(order.method, checked.training.examples);
  const { steps, epochs } = trainingSteps(method, checked.training.examples);
  return { method, steps, epochs, tokens: checked.training.tokens * epochs };
}

/** `ft:MODEL:ORG:SUFFIX:ID` */
export function tunedModel({ order, modelId }: FineTuningRecord): string {
  return `ft:${order.model}:local:${order.suffix ?? ''}:${modelId}`;
}
