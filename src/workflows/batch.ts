/** The lifecycle of one batch: what it does differently from other jobs. */
import { setHandler, workflowInfo } from '@temporalio/workflow';
import type { CheckedInput, CollectedBatch, EnqueuedBatch } from '../contract/activities/batch.js';
import type { CreateOnceInput, JobSearch, WatchInput } from '../contract/activities/jobs.js';
import type { BatchProgress, BatchResult, BatchSpec, CheckedBatchInput, ParsedBatchSpec } from '../contract/batch.js';
import { failure, invalidField, invalidInput } from '../contract/failures.js';
import { NO_USAGE } from '../contract/no-usage.js';
import { isHalfDone, type BatchSnapshot } from '../contract/snapshots.js';
import { toMs } from '../contract/duration.js';
import { parseBatchSpec, parseCheckedBatchInput } from '../contract/spec-parsers.js';
import { BATCH_STATUS_RULES, isBatchEnd, type BatchEnd } from '../contract/status.js';
import { batchPage } from './details/batch-page.js';
import type { RunPage } from './details/run-page.js';
import { PartCapacity } from './bulk/part-capacity.js';
import { reportingToBulk } from './bulk/part-report.js';
import {
  createJobActivities,
  runActivity,
  shortActivities,
  transferActivities,
  type WatchingActivities,
} from './lifecycle/activity-calls.js';
import { JobLifecycle } from './lifecycle/job-lifecycle.js';
import type { CollectContext, JobTypes } from './lifecycle/job-types.js';
import { countLines } from './lifecycle/metrics.js';
import { refusedSpec } from './lifecycle/refused-spec.js';
import { RunControl } from './lifecycle/run-control.js';
import type { EndedJob } from './lifecycle/wait-for-end.js';
import { batchProgressQuery } from './messages.js';

/**
 * Runs one batch at a provider from its input to its results.
 *
 * @param checked the library's own, for a parent that wrote and checked `argument.input.uri` itself: it is not checked
 * again
 * @returns the result of a batch that ended `completed`, `expired` or `cancelled`
 * @throws a failure with one of the types in `FAILURES`
 */
export async function runBatch(argument: BatchSpec, checked?: CheckedBatchInput): Promise<BatchResult> {
  const run = new RunControl();
  const { spec, report } = parseBatchSpec(argument);
  if (report) throw refusedSpec(run, 'Batch', report);
  const lifecycle = new BatchLifecycle(spec, run, checked ? parseChecked(checked, spec) : null);
  return run.runToEnd(spec.deadline, () => reportingToBulk(() => lifecycle.execute()));
}

/** The second argument is checked like the first: any client can send one. */
function parseChecked(argument: unknown, { input }: ParsedBatchSpec): CheckedBatchInput {
  const { spec: checked, report } = parseCheckedBatchInput(argument);
  if (report) throw invalidInput(report, 'second argument: ');
  if ('uri' in input && input.uri === checked.file.uri) return checked;
  throw invalidField('file.uri', 'the file of the second argument must be the `input.uri` of the spec');
}

interface BatchTypes extends JobTypes {
  readonly spec: ParsedBatchSpec;
  readonly checked: CheckedInput;
  readonly uploaded: { readonly inputFileId: string };
  readonly job: BatchSnapshot;
  readonly end: BatchEnd;
  readonly collected: CollectedBatch | null;
  readonly result: BatchResult;
  readonly progress: BatchProgress;
}

class BatchLifecycle extends JobLifecycle<BatchTypes> {
  protected readonly statuses = BATCH_STATUS_RULES;
  readonly #checked: CheckedBatchInput | null;
  /** Null for a batch that is no part of a bulk batch. */
  readonly #capacity: PartCapacity | null;
  /** What the token budget is to count: the parts of a bulk batch have asked it themselves. */
  #counted: EnqueuedBatch | null = null;
  /** The result files at the provider that may be deleted. */
  #readWhole: readonly string[] = [];

  constructor(spec: ParsedBatchSpec, run: RunControl, checked: CheckedBatchInput | null) {
    super(spec, run);
    this.#checked = checked;
    this.#capacity = checked?.capacity ? new PartCapacity(checked, checked.capacity, spec.provider, run) : null;
    setHandler(batchProgressQuery, () => this.progress(), {
      description: "Returns the phase, the batch's status and request counts, the cancellation and the warnings.",
    });
  }

  override async execute(): Promise<BatchResult> {
    return this.#capacity ? this.#capacity.returningIt(() => super.execute()) : super.execute();
  }

  protected override async admit(): Promise<boolean> {
    return this.#capacity?.acquire() ?? true;
  }

  protected async check(): Promise<CheckedInput | null> {
    if (this.#checked) return this.#checked;
    const { provider, input, endpoint, check, outputUri = null } = this.spec;
    const checkInput = { provider, input, endpoint, check, outputUri, filename: this.filename('input') };
    const checked = await this.unlessCancelled(() =>
      runActivity(transferActivities.checkBatchInput, `Check every line of ${describeInput(input)}`, checkInput),
    );
    const { model = null, estimatedTokens, requests } = checked ?? {};
    if (model !== null && estimatedTokens !== undefined) {
      this.#counted = { model, tokens: estimatedTokens, requests: requests ?? 0 };
    }
    return checked;
  }

  protected async upload(checked: CheckedInput): Promise<BatchTypes['uploaded'] | null> {
    const summary = `Upload ${checked.requests} requests (${checked.file?.bytes} bytes)`;
    const inputFileId = await this.uploadFile(checked, 'batch', 'input', summary);
    return inputFileId === null ? null : { inputFileId };
  }

  protected create({ inputFileId }: BatchTypes['uploaded'], once: CreateOnceInput) {
    const { endpoint, completionWindow, metadata = {}, outputExpiresAfter, extraBody = {} } = this.spec;
    const summary = `Create a batch: ${endpoint}, within ${completionWindow}, from ${inputFileId}`;
    return runActivity(createJobActivities.createBatch, summary, {
      ...once,
      counted: this.#counted,
      inputFileId,
      endpoint,
      completionWindow,
      extraBody,
      metadata,
      outputExpiresAfterSeconds: outputExpiresAfter === undefined ? null : Math.round(toMs(outputExpiresAfter) / 1_000),
    });
  }

  protected inputFileId({ inputFileId }: BatchTypes['uploaded']): string {
    return inputFileId;
  }

  protected find(uploaded: BatchTypes['uploaded'] | null, search: JobSearch, outcomeUnknown: boolean) {
    return runActivity(shortActivities.findBatch, 'Search for a batch left by the interrupted create', {
      ...search,
      outcomeUnknown,
      lookFor: { ...uploaded, endpoint: this.spec.endpoint },
    });
  }

  protected watch(input: WatchInput, activities: WatchingActivities) {
    const isPastHalf = this.job !== null && isHalfDone(this.job.requestCounts);
    const half = input.status === 'in_progress' ? `, ${isPastHalf ? 'second' : 'first'} half` : '';
    return runActivity(activities.watchBatch, `Wait while the batch is ${input.status}${half}`, {
      ...input,
      isHalfDone: isPastHalf,
    });
  }

  protected cancel(id: string, isAgain: boolean) {
    const summary = `${isAgain ? 'Check the cancel of' : 'Cancel'} ${id}`;
    return runActivity(shortActivities.cancelBatch, summary, { provider: this.spec.provider, id, isAgain });
  }

  protected cancelDuplicates(search: JobSearch, id: string) {
    return runActivity(shortActivities.cancelDuplicateBatches, 'Search for a duplicate created late', {
      ...search,
      id,
    });
  }

  protected expiresAt({ timestamps }: BatchSnapshot): number | null {
    return timestamps.expiresAt;
  }

  protected async collect(
    batch: BatchSnapshot,
    context: CollectContext,
    input: CheckedInput,
  ): Promise<CollectedBatch | null> {
    // A batch that failed may have been refused for want of room, which the budget has to learn.
    if (isBatchEnd(batch.status) && batch.status !== 'failed') this.#capacity?.batchHasEnded();
    // A batch that failed its validation has no files, and answered no request.
    const hasNoFile = batch.outputFileId === null && batch.errorFileId === null;
    if (batch.status === 'failed' && hasNoFile && batch.requestCounts.completed === 0) return null;
    const summary = `Collect the results (batch ${batch.status})`;
    const collect = transferActivities.collectBatchResults;
    const isPart = this.#checked !== null;
    const { result, readWhole } = await runActivity(collect, summary, { ...context, batch, input, isPart });
    this.#readWhole = readWhole;
    countLines(context.provider, result.lines);
    return result;
  }

  protected resultIds({ outputFileId, errorFileId }: BatchSnapshot) {
    return { outputFileId, errorFileId };
  }

  protected resultOf(
    { job, status }: EndedJob<BatchSnapshot, BatchEnd>,
    collected: CollectedBatch | null,
  ): BatchResult {
    if (status === 'failed' || !collected) throw batchFailed(job, collected);
    return { ...collected, status };
  }

  protected neverCreated(checked: CheckedInput | null): BatchResult {
    return {
      status: 'cancelled',
      batchId: null,
      model: checked?.model ?? null,
      requestCounts: { total: 0, completed: 0, failed: 0 },
      isSettled: true,
      lines: { succeeded: 0, failed: 0, unfinished: checked?.requests ?? 0, missing: 0 },
      anomalies: { duplicates: 0, unknownIds: 0, unreadable: 0 },
      output: null,
      errors: null,
      unreadable: null,
      usage: NO_USAGE,
      timestamps: { createdAt: null, inProgressAt: null, finalizingAt: null, endedAt: null, expiresAt: null },
      cancellation: this.run.cancellation,
      warnings: [...this.run.warnings],
    };
  }

  protected filesToDelete(mayStillRun: boolean): string[] {
    const { input = false, output = false } = this.spec.cleanup ?? {};
    // Results that a batch has before its end are not final.
    const isOutputDue = output && this.job !== null && isBatchEnd(this.job.status);
    const inputFileId = input && !mayStillRun ? this.uploaded?.inputFileId : undefined;
    return [...(inputFileId === undefined ? [] : [inputFileId]), ...(isOutputDue ? this.#readWhole : [])];
  }

  protected progress(): BatchProgress {
    return {
      ...this.commonProgress,
      counts: this.job?.requestCounts ?? { total: 0, completed: 0, failed: 0 },
      expiresAt: this.job?.timestamps.expiresAt ?? null,
      waitingFor: this.#capacity?.waitingFor ?? null,
    };
  }

  protected modelOf(batch: BatchSnapshot | null): string | null {
    return batch?.model ?? this.#checked?.model ?? this.#counted?.model ?? null;
  }

  protected page(): RunPage {
    return batchPage({
      workflowId: workflowInfo().workflowId,
      isPart: this.#capacity !== null,
      progress: this.progress(),
      phaseSince: this.run.phaseSince,
      inProgressAt: this.job?.timestamps.inProgressAt ?? null,
      result: this.collected,
      model: this.collected?.model ?? this.modelOf(this.job),
      input: describeInput(this.spec.input),
      spec: this.spec,
    });
  }
}

function describeInput(input: ParsedBatchSpec['input']): string {
  if ('fileId' in input) return input.fileId;
  return 'uri' in input ? input.uri : `${input.requests.length} inline requests`;
}

/** How many of the provider's errors travel in the failure's details. */
const MAX_ERRORS = 20;

function batchFailed({ id: batchId, errors }: BatchSnapshot, result: CollectedBatch | null) {
  const [first] = errors;
  const reason = first ? `${first.code ?? 'error'}: ${first.message ?? ''}` : 'the provider gave no reason';
  return failure('BatchFailed', `${batchId} failed: ${reason}`, {
    batchId,
    errors: errors.slice(0, MAX_ERRORS),
    ...(result && { result }),
  });
}
