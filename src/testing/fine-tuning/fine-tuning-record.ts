import type OpenAI from 'openai';
import { passedTransitions, type ReadCounters } from '../job-reads.js';
import type { FineTuningScenario } from './fine-tuning-scenario.js';
import {
  fineTuningTimeline,
  type FineTuningInputs,
  type FineTuningTimeline,
  type FineTuningTransition,
  type Pause,
} from './fine-tuning-timeline.js';
import type { FineTuningPlan } from './fine-tuning-timing.js';
import { resolveAuto, trainingSteps, type MethodChoice } from './hyperparameters.js';
import type { ExampleFile, FineTuningError } from './inspect-examples.js';

/** The largest seed that the API accepts. */
export const MAX_TRAINING_SEED = 2_147_483_647;

/** What `fineTuning.jobs.create` was called with, checked. */
export interface FineTuningParams {
  readonly model: string;
  readonly trainingFile: string;
  readonly validationFile: string | null;
  readonly method: MethodChoice;
  readonly suffix: string | null;
  /** Null: drawn at the creation of the job. */
  readonly seed: number | null;
  readonly integrations: OpenAI.FineTuning.FineTuningJobIntegration[];
  readonly metadata: Record<string, string> | null;
}

/** What the check of the files has found. */
export interface CheckedFiles {
  readonly training: ExampleFile;
  readonly error: FineTuningError | null;
}

/** Everything that is known of one fine-tuning job. Its state at a time is derived, see `fine-tuning-timeline.ts`. */
export interface FineTuningRecord {
  readonly id: string;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly params: FineTuningParams & { readonly seed: number };
  readonly plan: FineTuningPlan;
  readonly scenario: FineTuningScenario;
  /** The last part of the tuned model's name. */
  readonly modelId: string;
  readonly reads: ReadCounters;
  /** Epoch ms. */
  cancelledAt: number | null;
  pauses: readonly Pause[];
  /** Whether the scenario's own pause has been made. */
  pausedByScenario: boolean;
  /** Null until validation ends. */
  checked: CheckedFiles | null;
  /** Null until the job succeeds. */
  resultFiles: readonly string[] | null;
}

export function timelineOf(record: FineTuningRecord): FineTuningTimeline {
  return fineTuningTimeline({
    createdAt: record.createdAt,
    plan: record.plan,
    failsIn: failureStage(record),
    pauses: record.pauses,
    cancelledAt: record.cancelledAt,
    stuckIn: record.scenario.stuckIn ?? [],
  });
}

function failureStage({ checked, scenario }: FineTuningRecord): FineTuningInputs['failsIn'] {
  if (checked !== null && checked.error !== null) return 'validating_files';
  const { fail } = scenario;
  if (fail === undefined) return null;
  if (fail.in === 'validating_files' || fail.in === 'queued') return fail.in;
  return { runningShare: fail.in === 'end' ? 1 : (fail.share ?? 0.5) };
}

/** The error of a job that has failed. */
export function fineTuningErrorOf({ checked, scenario }: FineTuningRecord): FineTuningError | null {
  if (checked !== null && checked.error !== null) return checked.error;
  const { fail } = scenario;
  return fail === undefined ? null : { code: fail.code, message: fail.message, param: fail.param ?? null };
}

/** The transitions that have happened at `now`. Never empty. */
export function fineTuningTransitions(record: FineTuningRecord, now: number): FineTuningTransition[] {
  return passedTransitions(timelineOf(record).transitions, now);
}

/** The last transition that has happened at `now`. */
export const fineTuningStateAt = (record: FineTuningRecord, now: number): FineTuningTransition =>
  fineTuningTransitions(record, now).at(-1)!;

/** The size of the training. */
export interface Training {
  readonly method: MethodChoice;
  readonly steps: number;
  readonly epochs: number;
  readonly tokens: number;
}

/** Undefined until the files are checked, and for files that are refused. */
export function trainingOf({ checked, params }: FineTuningRecord): Training | undefined {
  if (checked?.error !== null) return undefined;
  const { examples, tokens } = checked.training;
  const method = resolveAuto(params.method, examples);
  const { steps, epochs } = trainingSteps(method, examples);
  return { method, steps, epochs, tokens: tokens * epochs };
}

/** `ft:MODEL:ORG:SUFFIX:ID` */
export function tunedModel({ params, modelId }: FineTuningRecord): string {
  return `ft:${params.model}:local:${params.suffix ?? ''}:${modelId}`;
}
