/** The life of one batch: check, upload, create, wait for its end, collect what came out. */
import { setHandler } from '@temporalio/workflow';
import type { CheckedInput, CollectedBatch } from '../contract/activities/batch.js';
import { isHalfDone, type BatchSnapshot } from '../contract/snapshots.js';
import {
  batchSpecSchema,
  type BatchProgress,
  type BatchResult,
  type BatchSpec,
  type ParsedBatchSpec,
} from '../contract/batch.js';
import { parseSpec } from '../contract/parse-spec.js';
import { toMs } from '../contract/spec-fields.js';
import { BATCH_STATUS_RULES, isBatchEnd } from '../contract/status.js';
import { runActivity, createJobActivities, shortActivities, transferActivities } from './lifecycle/activity-calls.js';
import { waitForEnd, iso, now } from './lifecycle/wait-for-end.js';
import { createUnlessCancelled } from './lifecycle/create-unless-cancelled.js';
import { showDetails } from './lifecycle/current-details.js';
import { asRunFailure, invalidInput, runFailure } from './lifecycle/run-failures.js';
import { identity } from './lifecycle/identity.js';
import { batchProgressQuery } from './messages.js';
import { RunControl } from './lifecycle/run-control.js';
import { cancellingLateDuplicates } from './lifecycle/late-duplicates.js';

/**
 * Runs one batch at a provider from its input to its results.
 *
 * Ends with a {@link BatchResult} when the batch ended `completed`, `expired` or `cancelled`; fails with one of the types in the table
 * of failures otherwise.
 */
export async function runBatch(argument: BatchSpec): Promise<BatchResult> {
  const run = new RunControl();
  const { spec, report } = parseSpec(batchSpecSchema, argument);
  if (report) throw invalidInput(report);
  const batchRun = new BatchLifecycle(spec, run);
  try {
    return await run.runToEnd(spec.deadline, () => batchRun.execute());
  } catch (error) {
    throw asRunFailure(error);
  }
}

class BatchLifecycle {
  readonly #spec: ParsedBatchSpec;
  readonly #run: RunControl;
  readonly #me = identity();
  #batch: BatchSnapshot | null = null;
  #lastCheckedAt: number | null = null;
  #collected: CollectedBatch | null = null;
  /** Files at the provider that `cleanup` may delete. */
  readonly #files = { input: null as string | null, isVerified: false };

  constructor(spec: ParsedBatchSpec, run: RunControl) {
    this.#spec = spec;
    this.#run = run;
    run.onChange = () => this.#show();
    setHandler(batchProgressQuery, () => this.#progress(), {
      description: 'How the run stands: phase, provider status, counts, cancellation, warnings.',
    });
    this.#show();
  }

  async execute(): Promise<BatchResult> {
    const result = await this.#fromInputToResults();
    // The clean-up comes after the results, and may have something to say too.
    return { ...result, warnings: [...this.#run.warnings] };
  }

  async #fromInputToResults(): Promise<BatchResult> {
    const checked = await this.#check();
    if (!checked) return neverCreated(this.#run, null);
    try {
      const inputFileId = await this.#upload(checked);
      const created = inputFileId === null ? null : await this.#create(inputFileId);
      if (!created) return neverCreated(this.#run, checked);
      const { job: ended, stuckSince } = await this.#awaitEnd(created.job, created.mayHaveDuplicate);
      const hasResults = ended.status !== 'failed' || ended.outputFileId !== null || ended.errorFileId !== null;
      const result = hasResults ? await this.#collect(ended, checked) : null;
      if (ended.status === 'failed') throw batchFailed(ended, result);
      if (stuckSince !== null) throw batchStuck(ended, stuckSince, result);
      return result as BatchResult;
    } finally {
      await this.#cleanUp();
    }
  }

  async #check(): Promise<CheckedInput | null> {
    const { input, endpoint, provider, outputUri = null } = this.#spec;
    if ('uri' in input && input.checked) {
      const { requests: count, model, bytes, sha256 } = input.checked;
      return { requests: count, model, file: { uri: input.uri, bytes, sha256 } };
    }
    const filename = this.#me.filename('input');
    const checked = await this.#run.untilCancelled(() =>
      runActivity(transferActivities.checkBatchInput, `check every line of ${nameOf(input)}`, {
        input,
        endpoint,
        provider,
        outputUri,
        filename,
      }),
    );
    return checked.interrupted ? null : checked.value;
  }

  async #upload(checked: CheckedInput): Promise<string | null> {
    if (!checked.file) return (this.#files.input = checked.fileId);
    this.#run.enter('uploading');
    const { file } = checked;
    const { key: _, filename, ...who } = this.#me;
    const uploaded = await this.#run.untilCancelled(() =>
      runActivity(transferActivities.uploadFile, `${checked.requests} requests, ${file.bytes} bytes`, {
        ...who,
        provider: this.#spec.provider,
        file,
        purpose: 'batch',
        filename: filename('input'),
        expiresAfterSeconds: INPUT_EXPIRES_AFTER,
      }),
    );
    return uploaded.interrupted ? null : (this.#files.input = uploaded.value.fileId);
  }

  async #create(inputFileId: string): Promise<{ job: BatchSnapshot; mayHaveDuplicate: boolean } | null> {
    const { provider, endpoint, completionWindow, metadata = {}, outputExpiresAfter, onAmbiguousCreate } = this.#spec;
    const { key, notBefore, mayExist } = this.#me;
    return createUnlessCancelled(
      this.#run,
      () =>
        runActivity(createJobActivities.createBatch, `${endpoint}, within ${completionWindow}, from ${inputFileId}`, {
          provider,
          key,
          notBefore,
          mayExist,
          inputFileId,
          endpoint,
          completionWindow,
          metadata,
          outputExpiresAfterSeconds:
            outputExpiresAfter === undefined ? null : Math.round(toMs(outputExpiresAfter) / 1_000),
          onAmbiguousCreate,
        }),
      (outcomeUnknown) =>
        runActivity(shortActivities.findBatch, 'was one created by the interrupted request?', {
          provider,
          key,
          notBefore,
          outcomeUnknown,
          lookFor: { inputFileId, endpoint },
        }),
    );
  }

  async #awaitEnd(
    batch: BatchSnapshot,
    mayHaveDuplicate: boolean,
  ): Promise<{ job: BatchSnapshot; stuckSince: number | null }> {
    const { provider } = this.#spec;
    this.#run.enter('waiting');
    const wait = () => this.#wait(batch);
    if (!mayHaveDuplicate) return wait();
    const { key, notBefore } = this.#me;
    const search = { provider, key, notBefore, id: batch.id };
    return cancellingLateDuplicates(
      this.#run,
      () => runActivity(shortActivities.cancelBatchTwins, 'is there a second one, created late?', search),
      wait,
    );
  }

  #wait(batch: BatchSnapshot): Promise<{ job: BatchSnapshot; stuckSince: number | null }> {
    const { provider } = this.#spec;
    return waitForEnd<BatchSnapshot>(this.#run, {
      provider,
      job: batch,
      spec: this.#spec,
      isEnd: isBatchEnd,
      isKnown: BATCH_STATUS_RULES.isKnown,
      expiresAt: ({ timestamps }) => timestamps.expiresAt,
      watch: (input) => {
        const counts = this.#batch?.requestCounts ?? batch.requestCounts;
        const half = isHalfDone(counts);
        const until = input.status === 'in_progress' ? (half ? ', second half' : ', first half') : '';
        return runActivity(shortActivities.watchBatch, `wait while it is ${input.status}${until}`, {
          ...input,
          isHalfDone: half,
        });
      },
      cancel: (id) => runActivity(shortActivities.cancelBatch, `cancel ${id}`, { provider, id }),
      onSeen: (seen, at) => {
        this.#batch = seen;
        this.#lastCheckedAt = at;
        this.#show();
      },
    });
  }

  async #collect(batch: BatchSnapshot, input: CheckedInput) {
    this.#run.enter('collecting');
    const { provider, outputUri = null } = this.#spec;
    const { cancellation, warnings } = this.#run;
    const result = await runActivity(transferActivities.collectBatchResults, `what the ${batch.status} batch brought`, {
      provider,
      batch,
      input,
      outputUri,
      cancellation,
      warnings,
    });
    for (const warning of result.warnings) this.#run.warn(warning);
    this.#collected = result;
    const { missing, succeeded } = result.lines;
    this.#files.isVerified = isBatchEnd(batch.status) && missing === 0 && (succeeded === 0 || result.output !== null);
    return result;
  }

  /** On every way out. A batch that may still run keeps its input, and results that are not safe yet keep theirs. */
  async #cleanUp(): Promise<void> {
    const { cleanup, provider } = this.#spec;
    const hasEnded = this.#batch === null || isBatchEnd(this.#batch.status);
    const fileIds = [
      cleanup?.input && hasEnded ? this.#files.input : null,
      cleanup?.output && this.#files.isVerified ? this.#batch?.outputFileId : null,
      cleanup?.output && this.#files.isVerified ? this.#batch?.errorFileId : null,
    ].filter((fileId) => typeof fileId === 'string');
    if (fileIds.length === 0) return;
    const { kept } = await runActivity(shortActivities.deleteFiles, `delete ${fileIds.join(', ')}`, {
      provider,
      fileIds,
    });
    if (kept.length > 0) this.#run.warn(`Not deleted at the provider: ${kept.join(', ')}`);
  }

  #progress(): BatchProgress {
    const { phase, cancellation, warnings } = this.#run;
    return {
      phase,
      status: this.#batch?.status ?? 'not_created',
      jobId: this.#batch?.id ?? null,
      counts: this.#batch?.requestCounts ?? { total: 0, completed: 0, failed: 0 },
      lastCheckedAt: this.#lastCheckedAt,
      cancelRequested: cancellation !== null,
      cancellation,
      expiresAt: this.#batch?.timestamps.expiresAt ?? null,
      warnings: [...warnings],
    };
  }

  #show(): void {
    const { status, jobId, counts, expiresAt, lastCheckedAt } = this.#progress();
    const { endpoint, provider, input } = this.#spec;
    const { lines, output, errors } = this.#collected ?? {};
    showDetails(this.#run, {
      title: 'Batch',
      status,
      rows: [
        ['Batch', jobId],
        [
          'Requests',
          counts.total > 0 ? `${counts.completed} completed, ${counts.failed} failed, of ${counts.total}` : null,
        ],
        ['As of', lastCheckedAt && iso(lastCheckedAt)],
        ['Expires', this.#run.phase === 'done' ? null : expiresAt && iso(expiresAt)],
        [
          'Results',
          lines
            ? `${lines.succeeded} succeeded, ${lines.failed} failed, ${lines.unfinished} unfinished, ${lines.missing} missing`
            : null,
        ],
        ['Output', output?.uri ?? null],
        ['Errors', errors?.uri ?? null],
        ['Input', nameOf(input)],
        ['Endpoint', endpoint],
        ['Provider', provider],
      ],
    });
  }
}

/** Seconds after which the provider deletes the input by itself: long after any window, so that only an orphan meets it. */
const INPUT_EXPIRES_AFTER = 30 * 24 * 60 * 60;

function nameOf(input: ParsedBatchSpec['input']): string {
  if ('fileId' in input) return input.fileId;
  return 'uri' in input ? input.uri : `${input.requests.length} inline requests`;
}

function batchFailed({ id: batchId, errors }: BatchSnapshot, result: unknown) {
  const [first] = errors;
  const reason = first ? `${first.code ?? 'error'}: ${first.message ?? ''}` : 'no reason given';
  return runFailure('BatchFailed', `${batchId} failed: ${reason}`, {
    batchId,
    errors: errors.slice(0, 20),
    ...(result !== null && { result }),
  });
}

function batchStuck({ id: jobId, status }: BatchSnapshot, since: number, result: unknown) {
  const message = `${jobId} is still ${status} at ${iso(now())}, long after it should have ended; it is left as it is`;
  return runFailure('JobStuck', message, { jobId, status, since, result });
}

/** A cancel that came before there was a batch: nothing was created, nothing was paid for. */
function neverCreated({ cancellation, warnings }: RunControl, checked: CheckedInput | null): BatchResult {
  const none = { createdAt: null, inProgressAt: null, finalizingAt: null, endedAt: null, expiresAt: null };
  return {
    status: 'cancelled',
    batchId: null,
    model: checked?.model ?? null,
    requestCounts: { total: 0, completed: 0, failed: 0 },
    lines: { succeeded: 0, failed: 0, unfinished: checked?.requests ?? 0, missing: 0 },
    anomalies: { duplicates: 0, unknownIds: 0, unreadable: 0 },
    output: null,
    errors: null,
    usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
    timestamps: none,
    cancellation,
    warnings: [...warnings],
  };
}
