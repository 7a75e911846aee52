/** The client: starts runs and returns typed handles of them. */
import { randomUUID } from 'node:crypto';
import {
  Client,
  Connection,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowHandle,
  type WorkflowStartOptions,
} from '@temporalio/client';
import type { z } from 'zod';
import { batchSpecSchema, type BatchRequest, type BatchSpec } from '../contract/batch.js';
import { bulkBatchSpecSchema, type BulkBatchSpec } from '../contract/bulk-batch.js';
import { fineTuningSpecSchema, type FineTuningSpec } from '../contract/fine-tuning.js';
import { parseSent } from '../contract/absent-fields.js';
import type { StartAttributes } from '../contract/search-attributes.js';
import { DEFAULT_TASK_QUEUE } from '../contract/task-queue.js';
import { inSummary } from '../contract/text.js';
import { safeName } from '../storage/safe-name.js';
import type { Storage } from '../storage/storage.js';
import { checkedRequests, FaultyRequestsError } from './checked-requests.js';
import { temporalTarget } from './connection.js';
import { defaultWorkflowId } from './default-id.js';
import { BatchRun, BulkBatchRun, FineTuningRun } from './handles.js';
import { toMs, type Duration } from '../contract/duration.js';
import { InvalidSpecError } from './invalid-spec-error.js';
import { listRuns, type ListedRun, type ListOptions } from './list-runs.js';
import { MAX_OUTAGE, throughOutages } from './outage.js';
import { withAttributes } from './start-attributes.js';

/** A start under the workflow id of a run that has ended. Nothing was started, so nothing is bought again. */
export class RunEndedError extends Error {
  override readonly name = 'RunEndedError';
  /** The workflow id that was given. */
  readonly workflowId: string;

  constructor(workflowId: string) {
    super(
      `a run with the workflow id "${workflowId}" has ended, and a new one would buy its jobs again. Read the result ` +
        'of that run, start under another workflow id, or pass `startAgain: true` to pay for a new run',
    );
    this.workflowId = workflowId;
  }
}

/**
 * Options of Temporal's `client.workflow.start`, such as `workflowId`, `memo` or `retry`, and `startAgain`.
 *
 * With a `workflowId`, a start can be repeated safely: while a run of that id goes on, its handle is returned and the
 * spec of the repeated start is ignored; once the run has ended, however it ended, the start fails with
 * {@link RunEndedError}. Temporal remembers an ended run for the namespace's retention (a few days by default): after
 * that, the same id starts a new run, which buys again.
 */
export interface StartOptions extends Partial<Omit<WorkflowStartOptions, 'args'>> {
  /**
   * Whether a start under the `workflowId` of a run that has ended starts a new run, which creates and pays for new
   * jobs. A run that goes on is returned all the same. Temporal's own `workflowIdReusePolicy` and
   * `workflowIdConflictPolicy` take precedence over this and over the default; then Temporal's errors are thrown.
   * @default false
   */
  readonly startAgain?: boolean;
  /**
   * How long Temporal may be unreachable while the run is started. With a policy of your own, a start is not repeated.
   * @default '10m'
   */
  readonly maxOutage?: Duration;
}

/** What the client knows of the workers. */
export interface LlmJobsClientOptions {
  /**
   * Task queue of the workers.
   *
   * @default the environment variable `LLM_JOBS_TASK_QUEUE`, or `'llm-jobs'`
   */
  readonly taskQueue?: string;
  /**
   * The storage of the workers. With it, `result()` also finds the result of a run that Temporal has removed, which it
   * does after the retention of its namespace.
   *
   * @default none: `result()` of such a run throws `RunNotFoundError`
   */
  readonly storage?: Storage;
}

/** Part of the static details, which the UI shows on the page of a run. */
const HOW_TO_STEER = [
  'The signal `cancel` cancels at the provider, and the run completes with the partial results.',
  '*Request Cancellation* also cancels at the provider and keeps the partial results, but the run ends as Cancelled.',
  'The signal `wake` reads the job now.',
  'The query `progress` returns the current state.',
];

/** Temporal refuses payloads of more than 2 MB. */
const MAX_SPEC_BYTES = 1_500_000;

/**
 * Starts runs and returns handles of runs that exist.
 *
 * @example
 * ```ts
 * const jobs = await LlmJobsClient.connect();
 * const input = { uri: 'file:///data/requests.jsonl' };
 * const run = await jobs.startBatch({ input, endpoint: '/v1/chat/completions' });
 * const { status, lines, output } = await run.result();
 * ```
 */
export class LlmJobsClient {
  /** The Temporal client underneath, for what this class does not cover. */
  readonly client: Client;
  /** Task queue on which runs are started. */
  readonly taskQueue: string;
  readonly #storage: Storage | undefined;

  /** @param client Temporal's client, of the namespace of the runs */
  constructor(client: Client, options: LlmJobsClientOptions = {}) {
    this.client = client;
    this.taskQueue = options.taskQueue ?? process.env.LLM_JOBS_TASK_QUEUE ?? DEFAULT_TASK_QUEUE;
    this.#storage = options.storage;
  }

  /**
   * Connects to the Temporal server that the standard environment variables (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`,
   * …) or a profile of Temporal's configuration file name. Call `close` when done.
   *
   * @throws if the server cannot be reached
   */
  static async connect(options: LlmJobsClientOptions = {}): Promise<LlmJobsClient> {
    const { connectionOptions, namespace } = temporalTarget();
    const connection = await Connection.connect(connectionOptions);
    return new LlmJobsClient(new Client({ connection, namespace }), options);
  }

  /**
   * Starts a run of `runBatch`. Its workflow id is `batch-<name of the input>-<random>` unless the options contain one,
   * which makes it safe to repeat the start: see {@link StartOptions}.
   *
   * @throws InvalidSpecError before a run is started; RunEndedError if the run of the given workflow id has ended
   */
  async startBatch(spec: BatchSpec, options: StartOptions = {}): Promise<BatchRun> {
    const { input, endpoint, provider } = checked(batchSpecSchema, spec);
    const source =
      'uri' in input ? input.uri : 'fileId' in input ? input.fileId : plural(input.requests.length, 'request');
    const id = defaultWorkflowId('batch', 'uri' in input ? input.uri : 'fileId' in input ? input.fileId : source);
    const handle = await this.#start('runBatch', id, spec, options, {
      kind: 'batch',
      provider,
      summary: `Batch of ${source} for ${endpoint}`,
      details: [
        `One batch at provider \`${provider}\`: upload, create exactly once, wait, collect the results.`,
        ...HOW_TO_STEER,
      ],
    });
    return new BatchRun(handle, this.client, { storage: this.#storage });
  }

  /**
   * Starts a run of `runFineTuning`. Its workflow id is `fine-tuning-<name of the training file>-<random>` unless the
   * options contain one, which makes it safe to repeat the start: see {@link StartOptions}.
   *
   * @throws InvalidSpecError before a run is started; RunEndedError if the run of the given workflow id has ended
   */
  async startFineTuning(spec: FineTuningSpec, options: StartOptions = {}): Promise<FineTuningRun> {
    const { model, method, provider, trainingFile: file } = checked(fineTuningSpecSchema, spec);
    const id = defaultWorkflowId('fine-tuning', 'uri' in file ? file.uri : file.fileId);
    const handle = await this.#start('runFineTuning', id, spec, options, {
      kind: 'fineTuning',
      provider,
      model,
      summary: `Fine-tuning of ${model} (${method?.type ?? 'supervised'})`,
      details: [
        `One fine-tuning job at provider \`${provider}\`: upload, create exactly once, wait, collect the results.`,
        ...HOW_TO_STEER,
        'The updates `pause` and `resume` pause and resume the job.',
      ],
    });
    return new FineTuningRun(handle, this.client, { storage: this.#storage });
  }

  /**
   * Starts a run of `runBulkBatch`, which sends any number of requests in as many batches as needed. Its workflow id is
   * `bulk-<name of the input>-<random>` unless the options contain one, which makes it safe to repeat the start: see {@link StartOptions}.
   *
   * @throws InvalidSpecError before a run is started; RunEndedError if the run of the given workflow id has ended
   */
  async startBulkBatch(spec: BulkBatchSpec, options: StartOptions = {}): Promise<BulkBatchRun> {
    const { input, provider } = checked(bulkBatchSpecSchema, spec);
    const source = 'uri' in input ? input.uri : 'uris' in input ? plural(input.uris.length, 'file') : input.prefix;
    const first = 'uri' in input ? input.uri : 'uris' in input ? input.uris[0]! : input.prefix;
    const handle = await this.#start('runBulkBatch', defaultWorkflowId('bulk', first), spec, options, {
      kind: 'bulkBatch',
      provider,
      summary: `Bulk batch of ${source}`,
      details: [
        `Any number of requests at provider \`${provider}\`: split into parts, run each part as a run of \`runBatch\`,`,
        'send unanswered requests again in further rounds, merge the results.',
        ...HOW_TO_STEER,
      ],
    });
    return new BulkBatchRun(handle, this.client, { storage: this.#storage });
  }

  /**
   * Checks requests and writes them to storage as the iterable yields them, in constant memory (about 40 bytes for each
   * `custom_id`), and starts a run of `runBulkBatch` with that file. No run is started if a request has a fault, or if
   * the iterable throws.
   *
   * @param spec the spec of {@link startBulkBatch}, with `storage` instead of `input`: a storage that the workers can
   *   read, too
   * @throws InvalidSpecError for a wrong spec, before anything is written, and for faulty requests, whose file is
   *   removed; StorageError; errors of the iterable, unchanged; RunEndedError if the run of the given workflow id has
   *   ended
   */
  async startBulkBatchFrom(
    requests: AsyncIterable<BatchRequest> | Iterable<BatchRequest>,
    { storage, ...spec }: Omit<BulkBatchSpec, 'input'> & { readonly storage: Storage },
    options: StartOptions = {},
  ): Promise<BulkBatchRun> {
    const workflowId = options.workflowId ?? defaultWorkflowId('bulk', null);
    // Each call has its own file: the run that has this workflow id may be reading the one of an earlier call.
    const name = `${safeName(workflowId)}.${randomUUID()}.requests.jsonl`;
    const uri = storage.resolve(spec.outputUri ?? storage.defaultRoot, 'inputs', name);
    const { endpoint, missingCustomIds } = checked(bulkBatchSpecSchema, { ...spec, input: { uri } });
    const rules = { missingCustomIds, ...(endpoint !== undefined && { endpoint }) };
    await storage.write(uri, checkedRequests(requests, rules)).catch((error: unknown) => {
      throw error instanceof FaultyRequestsError ? new InvalidSpecError(error.report) : error;
    });
    try {
      return await this.startBulkBatch({ ...spec, input: { uri } }, { ...options, workflowId });
    } catch (error) {
      // After any other error a run may have been started that reads the file.
      const isRefused = error instanceof RunEndedError || error instanceof WorkflowExecutionAlreadyStartedError;
      if (isRefused) await storage.delete(uri);
      throw error;
    }
  }

  /** The handle of an existing run of `runBatch`. Nothing is sent: a wrong id shows at the first call of the handle. */
  batch(workflowId: string, runId?: string): BatchRun {
    const handle = this.client.workflow.getHandle(workflowId, runId);
    return new BatchRun(handle, this.client, { storage: this.#storage, runId });
  }

  /** The handle of an existing run of `runFineTuning`. */
  fineTuning(workflowId: string, runId?: string): FineTuningRun {
    const handle = this.client.workflow.getHandle(workflowId, runId);
    return new FineTuningRun(handle, this.client, { storage: this.#storage, runId });
  }

  /** The handle of an existing run of `runBulkBatch`. */
  bulkBatch(workflowId: string, runId?: string): BulkBatchRun {
    const handle = this.client.workflow.getHandle(workflowId, runId);
    return new BulkBatchRun(handle, this.client, { storage: this.#storage, runId });
  }

  /**
   * The runs of the task queue, newest first, with what the watch of their account saw last of their jobs. It takes one
   * call to Temporal for a page of runs and one for each account, and asks neither the runs nor the providers.
   *
   * @example
   * ```ts
   * for await (const { workflowId, job } of jobs.list()) console.log(workflowId, job?.status, job?.counts);
   * ```
   */
  list(options: ListOptions = {}): AsyncGenerator<ListedRun> {
    return listRuns(this.client, this.taskQueue, options);
  }

  /** Closes the connection to Temporal. */
  async close(): Promise<void> {
    await this.client.connection.close();
  }

  async #start(
    type: string,
    defaultId: string,
    spec: unknown,
    { startAgain = false, maxOutage = MAX_OUTAGE, ...options }: StartOptions,
    { kind, provider, model, summary, details }: StartedRun,
  ): Promise<WorkflowHandle> {
    const workflowId = options.workflowId ?? defaultId;
    const { workflowIdConflictPolicy, workflowIdReusePolicy, typedSearchAttributes } = options;
    const attributes: StartAttributes = { kind, status: 'preparing', provider, ...(model !== undefined && { model }) };
    let attempts = 0;
    const start = () =>
      withAttributes(this.client, attributes, typedSearchAttributes, (withTheirs) => {
        attempts += 1;
        return this.client.workflow.start(type, {
          taskQueue: this.taskQueue,
          staticSummary: inSummary(summary),
          staticDetails: details.join(' '),
          ...options,
          ...withTheirs,
          workflowIdReusePolicy: workflowIdReusePolicy ?? (startAgain ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE'),
          // Temporal's older policy to terminate a run that goes on cannot be combined with this one.
          ...(workflowIdReusePolicy !== 'TERMINATE_IF_RUNNING' && {
            workflowIdConflictPolicy: workflowIdConflictPolicy ?? 'USE_EXISTING',
          }),
          workflowId,
          args: [spec],
        });
      });
    // By another policy, a start that is repeated may refuse or terminate the run that it has just started.
    const isOurPolicy = workflowIdConflictPolicy === undefined && workflowIdReusePolicy === undefined;
    try {
      return await (isOurPolicy ? throughOutages(start, toMs(maxOutage)) : start());
    } catch (error) {
      if (!isOurPolicy || !(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      // An id that nobody else knows was started by the attempt whose answer was lost.
      if (attempts > 1 && options.workflowId === undefined) return this.client.workflow.getHandle(workflowId);
      throw new RunEndedError(workflowId);
    }
  }
}

/** What a start tells people, in lists and on the page of the run. */
interface StartedRun extends Pick<StartAttributes, 'kind'> {
  readonly provider: string;
  readonly model?: string;
  readonly summary: string;
  readonly details: readonly string[];
}

function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const { spec, report } = parseSent(schema, value);
  if (report) throw new InvalidSpecError(report);
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes > MAX_SPEC_BYTES) {
    const advice = 'write the requests to a file and pass { uri }';
    const message = `the spec has ${bytes} bytes; the limit is ${MAX_SPEC_BYTES}: ${advice}`;
    throw new InvalidSpecError({ faults: [{ message }], total: 1 });
  }
  return spec;
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
