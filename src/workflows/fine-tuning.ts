/** The life of one fine-tuning job: check, upload, create, wait for its end, collect what came out. */
import { ApplicationFailure, setHandler } from '@temporalio/workflow';
import type { CheckedTrainingFile } from '../contract/activities/fine-tuning.js';
import type { FineTuningSnapshot } from '../contract/snapshots.js';
import {
  fineTuningSpecSchema,
  type FineTuningProgress,
  type FineTuningResult,
  type FineTuningSpec,
  type ParsedFineTuningSpec,
  type TrainingSteps,
} from '../contract/fine-tuning.js';
import { parseSpec } from '../contract/parse-spec.js';
import { FINE_TUNING_STATUS_RULES, isFineTuningEnd } from '../contract/status.js';
import { runActivity, createJobActivities, shortActivities, transferActivities } from './lifecycle/activity-calls.js';
import { waitForEnd, iso, now } from './lifecycle/wait-for-end.js';
import { createUnlessCancelled } from './lifecycle/create-unless-cancelled.js';
import { showDetails } from './lifecycle/current-details.js';
import { asRunFailure, invalidInput, runFailure } from './lifecycle/run-failures.js';
import { identity } from './lifecycle/identity.js';
import { fineTuningProgressQuery, pauseUpdate, resumeUpdate } from './messages.js';
import { RunControl } from './lifecycle/run-control.js';
import { cancellingLateDuplicates } from './lifecycle/late-duplicates.js';

type Role = 'training' | 'validation';

/**
 * Runs one fine-tuning job at a provider from its files to the new model.
 *
 * Ends with a {@link FineTuningResult} when the job ended `succeeded` or `cancelled`; fails with one of the types in the table of
 * failures otherwise.
 */
export async function runFineTuning(argument: FineTuningSpec): Promise<FineTuningResult> {
  const run = new RunControl();
  const { spec, report } = parseSpec(fineTuningSpecSchema, argument);
  if (report) throw invalidInput(report);
  const fineTuningRun = new FineTuningLifecycle(spec, run);
  try {
    return await run.runToEnd(spec.deadline, () => fineTuningRun.execute());
  } catch (error) {
    throw asRunFailure(error);
  }
}

class FineTuningLifecycle {
  readonly #spec: ParsedFineTuningSpec;
  readonly #run: RunControl;
  readonly #me = identity();
  #job: FineTuningSnapshot | null = null;
  #steps: TrainingSteps | null = null;
  #lastCheckedAt: number | null = null;
  #eventsUri: string | null = null;
  /** Files that this run uploaded, which `cleanup` may delete. */
  readonly #uploaded: string[] = [];

  constructor(spec: ParsedFineTuningSpec, run: RunControl) {
    this.#spec = spec;
    this.#run = run;
    run.onChange = () => this.#show();
    setHandler(fineTuningProgressQuery, () => this.#progress(), {
      description: 'How the run stands: phase, provider status, steps, cancellation, warnings.',
    });
    setHandler(pauseUpdate, () => this.#pauseOrResume('pause'), {
      validator: () => this.#mustHave('pause', ['running', 'queued', 'validating_files']),
      description: "Pause the running job at the provider. Answers with the job's status.",
    });
    setHandler(resumeUpdate, () => this.#pauseOrResume('resume'), {
      validator: () => this.#mustHave('resume', ['paused']),
      description: "Resume the paused job at the provider. Answers with the job's status.",
    });
    this.#show();
  }

  async execute(): Promise<FineTuningResult> {
    const result = await this.#fromFilesToModel();
    // The clean-up comes after the results, and may have something to say too.
    return { ...result, warnings: [...this.#run.warnings] };
  }

  async #fromFilesToModel(): Promise<FineTuningResult> {
    const { trainingFile, validationFile } = this.#spec;
    const training = await this.#check('training', trainingFile);
    const validation = validationFile && training ? await this.#check('validation', validationFile) : null;
    if (!training || (validationFile && !validation)) return neverCreated(this.#run);
    try {
      const trainingFileId = await this.#upload('training', training);
      const validationFileId =
        validation && trainingFileId !== null ? await this.#upload('validation', validation) : null;
      if (trainingFileId === null || (validation && validationFileId === null)) return neverCreated(this.#run);
      const created = await this.#create(trainingFileId, validationFileId);
      if (!created) return neverCreated(this.#run);
      const { job: ended, stuckSince } = await this.#awaitEnd(created.job, created.mayHaveDuplicate);
      const result = await this.#collect(ended);
      if (ended.status === 'failed') throw fineTuningFailed(ended);
      if (stuckSince !== null) throw jobStuck(ended, stuckSince, result);
      return result as FineTuningResult;
    } finally {
      await this.#cleanUp();
    }
  }

  async #check(role: Role, file: ParsedFineTuningSpec['trainingFile']): Promise<CheckedTrainingFile | null> {
    const { provider, model, method } = this.#spec;
    const name = 'uri' in file ? file.uri : file.fileId;
    const checked = await this.#run.untilCancelled(() =>
      runActivity(transferActivities.checkTrainingFile, `check every example of ${name}`, {
        provider,
        file,
        role,
        model,
        method: method?.type ?? 'supervised',
      }),
    );
    return checked.interrupted ? null : checked.value;
  }

  async #upload(role: Role, checked: CheckedTrainingFile): Promise<string | null> {
    if (!checked.file) return checked.fileId;
    this.#run.enter('uploading');
    const { file } = checked;
    const { key: _, filename, ...who } = this.#me;
    const uploaded = await this.#run.untilCancelled(() =>
      runActivity(transferActivities.uploadFile, `${checked.examples} ${role} examples, ${file.bytes} bytes`, {
        ...who,
        provider: this.#spec.provider,
        file,
        purpose: 'fine-tune',
        filename: filename(role),
        expiresAfterSeconds: INPUT_EXPIRES_AFTER,
      }),
    );
    if (uploaded.interrupted) return null;
    this.#uploaded.push(uploaded.value.fileId);
    return uploaded.value.fileId;
  }

  async #create(
    trainingFileId: string,
    validationFileId: string | null,
  ): Promise<{ job: FineTuningSnapshot; mayHaveDuplicate: boolean } | null> {
    const { provider, model, method, suffix, seed, integrations, metadata, onAmbiguousCreate, leaveFreeSlots } =
      this.#spec;
    const { key, notBefore, mayExist } = this.#me;
    return createUnlessCancelled(
      this.#run,
      () =>
        runActivity(
          createJobActivities.createFineTuningJob,
          `${method?.type ?? 'supervised'} on ${model}, from ${trainingFileId}`,
          {
            provider,
            key,
            notBefore,
            mayExist,
            model,
            trainingFileId,
            validationFileId,
            method: method ?? null,
            suffix: suffix ?? null,
            seed: seed ?? null,
            integrations: integrations ?? null,
            metadata: metadata ?? {},
            onAmbiguousCreate,
            leaveFreeSlots,
          },
        ),
      (outcomeUnknown) =>
        runActivity(shortActivities.findFineTuningJob, 'was one created by the interrupted request?', {
          provider,
          key,
          notBefore,
          outcomeUnknown,
          lookFor: { trainingFileId, model },
        }),
    );
  }

  async #awaitEnd(
    job: FineTuningSnapshot,
    mayHaveDuplicate: boolean,
  ): Promise<{ job: FineTuningSnapshot; stuckSince: number | null }> {
    const { provider } = this.#spec;
    this.#run.enter('waiting');
    const wait = () => this.#wait(job);
    if (!mayHaveDuplicate) return wait();
    const { key, notBefore } = this.#me;
    const search = { provider, key, notBefore, id: job.id };
    return cancellingLateDuplicates(
      this.#run,
      () => runActivity(shortActivities.cancelFineTuningTwins, 'is there a second one, created late?', search),
      wait,
    );
  }

  #wait(job: FineTuningSnapshot): Promise<{ job: FineTuningSnapshot; stuckSince: number | null }> {
    const { provider } = this.#spec;
    return waitForEnd<FineTuningSnapshot>(this.#run, {
      provider,
      job,
      spec: this.#spec,
      isEnd: isFineTuningEnd,
      isKnown: FINE_TUNING_STATUS_RULES.isKnown,
      expiresAt: () => null,
      watch: async (input) => {
        const sighting = await runActivity(
          shortActivities.watchFineTuningJob,
          `wait while it is ${input.status}`,
          input,
        );
        this.#steps = sighting.steps ?? this.#steps;
        return sighting;
      },
      cancel: (id) => runActivity(shortActivities.cancelFineTuningJob, `cancel ${id}`, { provider, id }),
      onSeen: (seen, at) => this.#see(seen, at),
    });
  }

  async #collect(job: FineTuningSnapshot) {
    this.#run.enter('collecting');
    const { provider, outputUri = null } = this.#spec;
    const { cancellation, warnings } = this.#run;
    const result = await runActivity(
      transferActivities.collectFineTuningResults,
      `what the ${job.status} job brought`,
      {
        provider,
        job,
        outputUri,
        cancellation,
        warnings,
      },
    );
    this.#eventsUri = result.events?.uri ?? null;
    for (const warning of result.warnings) this.#run.warn(warning);
    return result;
  }

  async #cleanUp(): Promise<void> {
    const hasEnded = this.#job === null || isFineTuningEnd(this.#job.status);
    if (!this.#spec.cleanup?.input || !hasEnded || this.#uploaded.length === 0) return;
    const { provider } = this.#spec;
    const fileIds = [...this.#uploaded];
    const { kept } = await runActivity(shortActivities.deleteFiles, `delete ${fileIds.join(', ')}`, {
      provider,
      fileIds,
    });
    if (kept.length > 0) this.#run.warn(`Not deleted at the provider: ${kept.join(', ')}`);
  }

  /** The provider decides; its answer is the update's, and the wait begins anew from it. */
  async #pauseOrResume(action: 'pause' | 'resume'): Promise<string> {
    const { provider } = this.#spec;
    const id = this.#job?.id ?? '';
    const activity = action === 'pause' ? shortActivities.pauseFineTuningJob : shortActivities.resumeFineTuningJob;
    const job = await runActivity(activity, `${action} ${id}`, { provider, id });
    this.#run.lookAgain();
    return job?.status ?? 'not_found';
  }

  #mustHave(action: string, statuses: readonly string[]): void {
    const status = this.#job?.status ?? 'not_created';
    if (this.#run.phase === 'waiting' && statuses.includes(status)) return;
    throw ApplicationFailure.create({
      type: 'InvalidInput',
      message: `Cannot ${action}: the job is ${status} and the run is ${this.#run.phase}`,
      nonRetryable: true,
    });
  }

  #see(job: FineTuningSnapshot, at: number): void {
    this.#job = job;
    this.#lastCheckedAt = at;
    this.#show();
  }

  #progress(): FineTuningProgress {
    const { phase, cancellation, warnings } = this.#run;
    return {
      phase,
      status: this.#job?.status ?? 'not_created',
      jobId: this.#job?.id ?? null,
      steps: this.#steps,
      estimatedFinish: this.#job?.timestamps.estimatedFinish ?? null,
      lastCheckedAt: this.#lastCheckedAt,
      cancelRequested: cancellation !== null,
      cancellation,
      warnings: [...warnings],
    };
  }

  #show(): void {
    const { status, jobId, steps, estimatedFinish, lastCheckedAt } = this.#progress();
    const { model, provider, method } = this.#spec;
    showDetails(this.#run, {
      title: 'Fine-tuning job',
      status,
      rows: [
        ['Job', jobId],
        ['Steps', steps && `${steps.done} of ${steps.total ?? 'unknown'}`],
        ['Estimated finish', this.#run.phase === 'done' ? null : estimatedFinish && iso(estimatedFinish)],
        ['As of', lastCheckedAt && iso(lastCheckedAt)],
        ['Model', this.#job?.fineTunedModel ?? model],
        ['Method', method?.type ?? 'supervised'],
        ['Provider', provider],
        ['Events', this.#eventsUri],
      ],
    });
  }
}

/** Seconds after which the provider deletes an upload by itself: long after any queue, so that only an orphan meets it. */
const INPUT_EXPIRES_AFTER = 30 * 24 * 60 * 60;

function fineTuningFailed({ id: jobId, error }: FineTuningSnapshot) {
  const reason = error ? `${error.code ?? 'error'}: ${error.message ?? ''}` : 'no reason given';
  return runFailure('FineTuningFailed', `${jobId} failed: ${reason}`, { jobId, error });
}

function jobStuck({ id: jobId, status }: FineTuningSnapshot, since: number, result: unknown) {
  const message = `${jobId} is still ${status} at ${iso(now())}, long after it was cancelled; it is left as it is`;
  return runFailure('JobStuck', message, { jobId, status, since, result });
}

/** A cancel that came before there was a job: nothing was created, nothing was paid for. */
function neverCreated({ cancellation, warnings }: RunControl): FineTuningResult {
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
    cancellation,
    warnings: [...warnings],
  };
}
