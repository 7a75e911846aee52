/** The lifecycle of one fine-tuning job: what it does differently from other jobs. */
import { setHandler } from '@temporalio/workflow';
import type { CheckedTrainingFile, CollectedFineTuning, TrainingRole } from '../contract/activities/fine-tuning.js';
import type { CreateOnceInput, JobSearch, Sighting, WatchInput } from '../contract/activities/jobs.js';
import { failure, invalidField } from '../contract/failures.js';
import type {
  FineTuningProgress,
  FineTuningResult,
  FineTuningSpec,
  ParsedFineTuningSpec,
  TrainingSteps,
} from '../contract/fine-tuning.js';
import type { FineTuningSnapshot } from '../contract/snapshots.js';
import { parseFineTuningSpec } from '../contract/spec-parsers.js';
import { FINE_TUNING_STATUS_RULES, type FineTuningEnd } from '../contract/status.js';
import {
  createJobActivities,
  promptActivities,
  runActivity,
  shortActivities,
  transferActivities,
  type WatchingActivities,
} from './lifecycle/activity-calls.js';
import { fineTuningPage } from './details/fine-tuning-page.js';
import type { RunPage } from './details/run-page.js';
import { JobLifecycle } from './lifecycle/job-lifecycle.js';
import type { CollectContext, JobTypes } from './lifecycle/job-types.js';
import { refusedSpec } from './lifecycle/refused-spec.js';
import { RunControl } from './lifecycle/run-control.js';
import { asUpdateFailure } from './lifecycle/run-failures.js';
import type { EndedJob } from './lifecycle/wait-for-end.js';
import { fineTuningProgressQuery, pauseUpdate, resumeUpdate } from './messages.js';

/**
 * Runs one fine-tuning job at a provider from its files to the new model.
 *
 * @returns the result of a job that ended `succeeded` or `cancelled`
 * @throws a failure with one of the types in `FAILURES`
 */
export async function runFineTuning(argument: FineTuningSpec): Promise<FineTuningResult> {
  const run = new RunControl();
  const { spec, report } = parseFineTuningSpec(argument);
  if (report) throw refusedSpec(run, 'Fine-tuning job', report);
  const lifecycle = new FineTuningLifecycle(spec, run);
  return run.runToEnd(spec.deadline, () => lifecycle.execute());
}

interface FineTuningTypes extends JobTypes {
  readonly spec: ParsedFineTuningSpec;
  readonly checked: { readonly training: CheckedTrainingFile; readonly validation: CheckedTrainingFile | null };
  readonly uploaded: { readonly trainingFileId: string; readonly validationFileId: string | null };
  readonly job: FineTuningSnapshot;
  readonly end: FineTuningEnd;
  readonly collected: CollectedFineTuning | null;
  readonly result: FineTuningResult;
  readonly progress: FineTuningProgress;
}

class FineTuningLifecycle extends JobLifecycle<FineTuningTypes> {
  protected readonly statuses = FINE_TUNING_STATUS_RULES;
  #steps: TrainingSteps | null = null;
  /** Epoch seconds: when the job was first seen to run; null before. */
  #runningSince: number | null = null;
  /** The last change that the provider accepted. */
  #lastChange: 'pause' | 'resume' | null = null;

  constructor(spec: ParsedFineTuningSpec, run: RunControl) {
    super(spec, run);
    setHandler(fineTuningProgressQuery, () => this.progress(), {
      description: "Returns the phase, the job's status and training steps, the cancellation and the warnings.",
    });
    setHandler(pauseUpdate, () => this.#pauseOrResume('pause'), {
      validator: () => this.#requireStatus('pause', ['running', 'queued', 'validating_files']),
      description: "Pauses the running job at the provider and returns the job's status.",
    });
    setHandler(resumeUpdate, () => this.#pauseOrResume('resume'), {
      validator: () => this.#requireStatus('resume', ['paused']),
      description: "Resumes the paused job at the provider and returns the job's status.",
    });
  }

  protected async check(): Promise<FineTuningTypes['checked'] | null> {
    const { trainingFile, validationFile } = this.spec;
    const training = await this.#checkFile('training', trainingFile);
    if (!training) return null;
    if (!validationFile) return { training, validation: null };
    const validation = await this.#checkFile('validation', validationFile);
    return validation && { training, validation };
  }

  #checkFile(role: TrainingRole, file: ParsedFineTuningSpec['trainingFile']): Promise<CheckedTrainingFile | null> {
    const { provider, model, check, outputUri = null } = this.spec;
    const name = 'uri' in file ? file.uri : file.fileId;
    return this.unlessCancelled(() =>
      runActivity(transferActivities.checkTrainingFile, `Check every example of ${name}`, {
        provider,
        file,
        role,
        model,
        check,
        method: this.#method,
        outputUri,
      }),
    );
  }

  protected async upload({
    training,
    validation,
  }: FineTuningTypes['checked']): Promise<FineTuningTypes['uploaded'] | null> {
    const trainingFileId = await this.#uploadFile('training', training);
    if (trainingFileId === null) return null;
    if (!validation) return { trainingFileId, validationFileId: null };
    const validationFileId = await this.#uploadFile('validation', validation);
    return validationFileId === null ? null : { trainingFileId, validationFileId };
  }

  #uploadFile(role: TrainingRole, checked: CheckedTrainingFile): Promise<string | null> {
    const summary = `Upload ${checked.examples} ${role} examples (${checked.file?.bytes} bytes)`;
    return this.uploadFile(checked, 'fine-tune', role, summary);
  }

  protected create({ trainingFileId, validationFileId }: FineTuningTypes['uploaded'], once: CreateOnceInput) {
    const { model, method, suffix, seed, integrations, metadata = {}, extraBody = {}, leaveFreeSlots } = this.spec;
    const summary = `Create a fine-tuning job: ${this.#method} on ${model}, from ${trainingFileId}`;
    return runActivity(createJobActivities.createFineTuningJob, summary, {
      ...once,
      model,
      trainingFileId,
      validationFileId,
      method: method ?? null,
      suffix: suffix ?? null,
      seed: seed ?? null,
      integrations: integrations ?? null,
      metadata,
      extraBody,
      leaveFreeSlots,
    });
  }

  protected inputFileId({ trainingFileId }: FineTuningTypes['uploaded']): string {
    return trainingFileId;
  }

  protected find(uploaded: FineTuningTypes['uploaded'] | null, search: JobSearch, outcomeUnknown: boolean) {
    return runActivity(shortActivities.findFineTuningJob, 'Search for a job left by the interrupted create', {
      ...search,
      outcomeUnknown,
      lookFor: { ...(uploaded && { trainingFileId: uploaded.trainingFileId }), model: this.spec.model },
    });
  }

  protected async watch(input: WatchInput, activities: WatchingActivities): Promise<Sighting<FineTuningSnapshot>> {
    const summary = `Wait while the job is ${input.status}`;
    const sighting = await runActivity(activities.watchFineTuningJob, summary, input);
    this.#steps = sighting.steps ?? this.#steps;
    if (sighting.kind !== 'missing' && sighting.job?.status === 'running') this.#runningSince ??= sighting.at;
    return sighting;
  }

  protected cancel(id: string, isAgain: boolean) {
    const summary = `${isAgain ? 'Check the cancel of' : 'Cancel'} ${id}`;
    return runActivity(shortActivities.cancelFineTuningJob, summary, { provider: this.spec.provider, id, isAgain });
  }

  protected cancelDuplicates(search: JobSearch, id: string) {
    return runActivity(shortActivities.cancelDuplicateFineTuningJobs, 'Search for a duplicate created late', {
      ...search,
      id,
    });
  }

  protected expiresAt(): null {
    return null;
  }

  protected collect(job: FineTuningSnapshot, context: CollectContext): Promise<CollectedFineTuning> {
    const summary = `Collect the results (job ${job.status})`;
    return runActivity(transferActivities.collectFineTuningResults, summary, { ...context, job });
  }

  protected resultIds({ fineTunedModel, resultFileIds }: FineTuningSnapshot) {
    return { fineTunedModel, resultFileIds };
  }

  protected resultOf(
    { job, status }: EndedJob<FineTuningSnapshot, FineTuningEnd>,
    collected: CollectedFineTuning | null,
  ): FineTuningResult {
    if (status === 'failed' || !collected) throw fineTuningFailed(job, collected?.lastError ?? null);
    const { lastError: _, ...result } = collected;
    return { ...result, status };
  }

  protected neverCreated(): FineTuningResult {
    return {
      status: 'cancelled',
      jobId: null,
      fineTunedModel: null,
      trainedTokens: null,
      hyperparameters: null,
      method: null,
      checkpoints: [],
      resultFiles: [],
      events: null,
      timestamps: { createdAt: null, finishedAt: null },
      cancellation: this.run.cancellation,
      warnings: [...this.run.warnings],
    };
  }

  protected filesToDelete(mayStillRun: boolean): string[] {
    return this.spec.cleanup?.input && !mayStillRun ? [...this.uploadedFileIds] : [];
  }

  /** The status in the provider's reply is the update's result; the wait continues with a new poll. */
  async #pauseOrResume(action: 'pause' | 'resume'): Promise<string> {
    const { provider } = this.spec;
    const id = this.job?.id ?? '';
    const [activity, summary] =
      action === 'pause'
        ? [promptActivities.pauseFineTuningJob, `Pause ${id}`]
        : [promptActivities.resumeFineTuningJob, `Resume ${id}`];
    const changed = await this.run.untilEnded(() =>
      runActivity(activity, summary, { provider, id }).catch((error: unknown) => {
        throw asUpdateFailure(`${action} the job`, `fineTuning.${action}`, error);
      }),
    );
    if (changed.interrupted) throw asUpdateFailure(`${action} the job`, `fineTuning.${action}`, 'the run ended first');
    const job = changed.value;
    this.#lastChange = action;
    if (job) this.see(job);
    this.run.pollNow();
    return job?.status ?? 'not_found';
  }

  /** A change that was accepted may be undone at once, even while reads still show the status before it. */
  #requireStatus(action: 'pause' | 'resume', allowed: readonly string[]): void {
    const { phase, status } = this.commonProgress;
    const undoesLastChange = this.#lastChange !== null && this.#lastChange !== action;
    if (phase === 'waiting' && (undoesLastChange || allowed.includes(status))) return;
    throw invalidField(null, `cannot ${action}: the job is ${status} and the phase of the run is ${phase}`);
  }

  get #method() {
    return this.spec.method?.type ?? 'supervised';
  }

  protected progress(): FineTuningProgress {
    return {
      ...this.commonProgress,
      steps: this.#steps,
      estimatedFinish: this.job?.timestamps.estimatedFinish ?? null,
    };
  }

  protected modelOf(): string {
    return this.spec.model;
  }

  protected page(): RunPage {
    return fineTuningPage({
      progress: this.progress(),
      phaseSince: this.run.phaseSince,
      runningSince: this.#runningSince,
      result: this.collected,
      method: this.#method,
      spec: this.spec,
    });
  }
}

function fineTuningFailed({ id: jobId, error }: FineTuningSnapshot, lastError: string | null) {
  const noError = { code: null, message: null, param: null };
  const told = error?.message || lastError === null ? error : { ...noError, ...error, message: lastError };
  const reason = told ? `${told.code ?? 'error'}: ${told.message ?? ''}` : 'the provider gave no reason';
  return failure('FineTuningFailed', `${jobId} failed: ${reason}`, { jobId, error: told });
}
