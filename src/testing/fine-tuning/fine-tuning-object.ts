import { foreignStatusOf, hasVanished, stepsBack } from '../read-scenario.js';
import { epochSeconds, type WireFineTuningJob } from '../wire.js';
import {
  jobErrorOf,
  jobPassed,
  jobTimeline,
  trainingOf,
  tunedModel,
  type FineTuningRecord,
} from './fine-tuning-record.js';
import { isJobEnd, type FineTuningStatus } from './fine-tuning-timeline.js';
import { methodObject, topLevelHyperparameters } from './hyperparameters.js';

/** The job as the API shows it at `now`, before any scenario distorts it. */
export function fineTuningObject(record: FineTuningRecord, now: number): WireFineTuningJob {
  const { status, at } = jobPassed(record, now).at(-1)!;
  const { order } = record;
  const training = trainingOf(record);
  // Hyperparameters stay `auto` while the files are being checked.
  const method = status === 'validating_files' || training === undefined ? order.method : training.method;
  const succeeded = status === 'succeeded';
  return {
    object: 'fine_tuning.job',
    id: record.id,
    model: order.model,
    created_at: epochSeconds(record.plan.createdAt),
    finished_at: isJobEnd(status) ? epochSeconds(at) : null,
    fine_tuned_model: succeeded ? tunedModel(record) : null,
    organization_id: 'org-local',
    result_files: succeeded ? (record.resultFiles ?? []) : [],
    status,
    validation_file: order.validationFile,
    training_file: order.trainingFile,
    hyperparameters: topLevelHyperparameters(method),
    trained_tokens: succeeded ? (training?.tokens ?? null) : null,
    error: status === 'failed' ? jobErrorOf(record) : null,
    seed: order.seed,
    estimated_finish: estimatedFinish(record, status),
    integrations: order.integrations,
    metadata: order.metadata,
    method: methodObject(method),
  };
}

function estimatedFinish(record: FineTuningRecord, status: FineTuningStatus): number | null {
  if (status !== 'running') return null;
  const segment = jobTimeline(record).segments.at(-1)!;
  return epochSeconds(segment.from + record.plan.runningMs - segment.elapsed);
}

/** What a read of the job answers, or undefined where it has vanished. */
export function shownJob(record: FineTuningRecord, now: number, { counted }: { counted: boolean }): unknown {
  const { scenario, plan } = record;
  const statuses = jobPassed(record, now).map((transition) => transition.status);
  if (hasVanished(scenario, statuses, now - plan.createdAt)) return undefined;
  const read = { scenario, counters: record.reads, counted };
  const job = fineTuningObject(record, stepsBack(read, statuses.length > 1) ? plan.createdAt : now);
  const shown: WireFineTuningJob = {
    ...job,
    error: shownError(record, job),
    // Azure sends null here, which the type does not allow
    result_files: scenario.resultFiles === 'null' ? (null as unknown as string[]) : job.result_files,
    // The point of a foreign status is that the type does not have it.
    status: (foreignStatusOf(read, job.status) ?? job.status) as FineTuningStatus,
  };
  return scenario.show === undefined ? shown : scenario.show(shown);
}

type JobErrorField = WireFineTuningJob['error'];

const NULL_FILLED = { code: null, message: null, param: null } as unknown as JobErrorField;

function shownError({ scenario }: FineTuningRecord, job: WireFineTuningJob): JobErrorField {
  if (job.status === 'failed') return scenario.hidesError === true ? NULL_FILLED : job.error;
  if (scenario.healthyError === 'null-filled') return NULL_FILLED;
  return scenario.healthyError === 'empty-object' ? ({} as JobErrorField) : job.error;
}
