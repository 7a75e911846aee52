import { misleadingRead } from '../job-reads.js';
import { epochSeconds, type WireFineTuningJob } from '../wire.js';
import {
  fineTuningErrorOf,
  fineTuningStateAt,
  fineTuningTransitions,
  timelineOf,
  trainingOf,
  tunedModel,
} from './fine-tuning-record.js';
import type { FineTuningRecord } from './fine-tuning-record.js';
import { isFineTuningEnd, type FineTuningStatus } from './fine-tuning-timeline.js';
import { methodObject, topLevelHyperparameters } from './hyperparameters.js';

/** The fine-tuning job as the API shows it at `now`, before any scenario distorts it. */
export function fineTuningObject(record: FineTuningRecord, now: number): WireFineTuningJob {
  const { status, at } = fineTuningStateAt(record, now);
  const { params } = record;
  const training = trainingOf(record);
  // Hyperparameters stay `auto` while the files are being checked.
  const method = status === 'validating_files' || training === undefined ? params.method : training.method;
  const succeeded = status === 'succeeded';
  return {
    object: 'fine_tuning.job',
    id: record.id,
    model: params.model,
    created_at: epochSeconds(record.createdAt),
    finished_at: isFineTuningEnd(status) ? epochSeconds(at) : null,
    fine_tuned_model: succeeded ? tunedModel(record) : null,
    organization_id: 'org-local',
    result_files: succeeded ? [...(record.resultFiles ?? [])] : [],
    status,
    validation_file: params.validationFile,
    training_file: params.trainingFile,
    hyperparameters: topLevelHyperparameters(method),
    trained_tokens: succeeded ? (training?.tokens ?? null) : null,
    error: status === 'failed' ? fineTuningErrorOf(record) : null,
    seed: params.seed,
    estimated_finish: estimatedFinish(record, status),
    integrations: params.integrations,
    metadata: params.metadata,
    method: methodObject(method),
  };
}

function estimatedFinish(record: FineTuningRecord, status: FineTuningStatus): number | null {
  if (status !== 'running') return null;
  const segment = timelineOf(record).segments.at(-1)!;
  return epochSeconds(segment.from + record.plan.runningMs - segment.elapsed);
}

/** What a read of the job returns: the object as its scenario distorts it, or undefined for one that has vanished. */
export function shownFineTuningJob(record: FineTuningRecord, now: number, { counted }: { counted: boolean }): unknown {
  const { scenario } = record;
  const entered = fineTuningTransitions(record, now).map(({ status }) => status);
  const read = misleadingRead(record, entered, { now, counted }, (time) => {
    const fineTuningJob = fineTuningObject(record, time);
    return { ...fineTuningJob, error: shownError(record, fineTuningJob) };
  });
  if (read === undefined) return undefined;
  const shown: WireFineTuningJob = {
    ...read,
    // Azure sends null here, which the SDK's type does not allow.
    result_files: scenario.resultFiles === 'null' ? (null as unknown as string[]) : read.result_files,
  };
  return scenario.show === undefined ? shown : scenario.show(shown);
}

type ErrorField = WireFineTuningJob['error'];

const NULL_FILLED = { code: null, message: null, param: null } as unknown as ErrorField;

function shownError({ scenario }: FineTuningRecord, fineTuningJob: WireFineTuningJob): ErrorField {
  if (fineTuningJob.status === 'failed') return scenario.hidesError === true ? NULL_FILLED : fineTuningJob.error;
  if (scenario.healthyError === 'null-filled') return NULL_FILLED;
  return scenario.healthyError === 'empty-object' ? ({} as ErrorField) : fineTuningJob.error;
}
