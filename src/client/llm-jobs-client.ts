/** Starting and steering runs from application code, with types. */
import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle, type WorkflowStartOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { z } from 'zod';
import { batchSpecSchema, type BatchRequest, type BatchSpec } from '../contract/batch.js';
import { bulkBatchSpecSchema, type BulkBatchSpec } from '../contract/bulk-batch.js';
import type { InputFault } from '../contract/input-fault.js';
import { fineTuningSpecSchema, type FineTuningSpec } from '../contract/fine-tuning.js';
import { describeFaults, parseSpec } from '../contract/parse-spec.js';
import { safeName } from '../storage/safe-name.js';
import type { Storage } from '../storage/storage.js';
import { BatchRun, BulkBatchRun, FineTuningRun } from './handles.js';

/** A spec that is wrong, found before a workflow was started. */
export class InvalidSpecError extends Error {
  override readonly name = 'InvalidSpecError';
  /** Each with the field it is about. */
  readonly faults: readonly InputFault[];

  constructor(message: string, faults: readonly InputFault[]) {
    super(message);
    this.faults = faults;
  }
}

/** What Temporal lets a start say, as far as it is not the library's to say. */
export type StartOptions = Partial<Omit<WorkflowStartOptions, 'args'>>;

export interface LlmJobsClientOptions {
  /** Default `'llm-jobs'`. */
  readonly taskQueue?: string;
}

/** For a person who looks at the run in the UI. */
const HOW_TO_STEER =
  'The signal `cancel` cancels it at the provider, and the run completes with what was done by then; *Request Cancellation* does so ' +
  'too, and the run ends as Cancelled. The signal `wake` looks at it now, the query `progress` tells how it stands.';

/** Largest spec in bytes: Temporal refuses payloads over 2 MB. */
const MAX_SPEC_BYTES = 1_500_000;

/**
 * Starts runs and finds them again.
 *
 * @example
 * ```ts
 * const jobs = await LlmJobsClient.connect();
 * const run = await jobs.startBatch({ input: { uri: 'file:///data/requests.jsonl' }, endpoint: '/v1/chat/completions' });
 * const { status, lines, output } = await run.result();
 * ```
 */
export class LlmJobsClient {
  readonly client: Client;
  readonly taskQueue: string;

  constructor(client: Client, options: LlmJobsClientOptions = {}) {
    this.client = client;
    this.taskQueue = options.taskQueue ?? process.env.LLM_JOBS_TASK_QUEUE ?? 'llm-jobs';
  }

  /** Connects by the standard environment variables and profiles (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, …). */
  static async connect(options: LlmJobsClientOptions = {}): Promise<LlmJobsClient> {
    const { connectionOptions, namespace } = loadClientConnectConfig();
    const connection = await Connection.connect(connectionOptions);
    return new LlmJobsClient(new Client({ connection, ...(namespace !== undefined && { namespace }) }), options);
  }

  /**
   * Starts a batch. The workflow id is `batch-<uuid>` unless the options name one; naming one makes the start itself safe to repeat.
   *
   * @throws InvalidSpecError before anything is started
   */
  async startBatch(spec: BatchSpec, options: StartOptions = {}): Promise<BatchRun> {
    const { input, endpoint, provider } = checked(batchSpecSchema, spec);
    const source = 'uri' in input ? input.uri : 'fileId' in input ? input.fileId : `${input.requests.length} requests`;
    const handle = await this.#start('runBatch', `batch-${randomUUID()}`, spec, options, {
      summary: `Batch of ${source} for ${endpoint}`,
      details: `One batch at provider \`${provider}\`: upload, create once, wait for its end, collect the results. ${HOW_TO_STEER}`,
    });
    return new BatchRun(handle, this.client);
  }

  /**
   * Starts a fine-tuning job. The workflow id is `fine-tuning-<uuid>` unless the options name one.
   *
   * @throws InvalidSpecError before anything is started
   */
  async startFineTuning(spec: FineTuningSpec, options: StartOptions = {}): Promise<FineTuningRun> {
    const { model, method, provider } = checked(fineTuningSpecSchema, spec);
    const handle = await this.#start('runFineTuning', `fine-tuning-${randomUUID()}`, spec, options, {
      summary: `Fine-tuning of ${model} (${method?.type ?? 'supervised'})`,
      details: `One fine-tuning job at provider \`${provider}\`: upload, create once, wait for its end, collect the results. ${HOW_TO_STEER} The updates \`pause\` and \`resume\` do what they say.`,
    });
    return new FineTuningRun(handle, this.client);
  }

  /**
   * Starts any number of requests, as many batches as it takes. The workflow id is `bulk-<uuid>` unless the options name one.
   *
   * @throws InvalidSpecError before anything is started
   */
  async startBulkBatch(spec: BulkBatchSpec, options: StartOptions = {}): Promise<BulkBatchRun> {
    const { input, provider } = checked(bulkBatchSpecSchema, spec);
    const source = 'uri' in input ? input.uri : 'uris' in input ? `${input.uris.length} files` : input.prefix;
    const handle = await this.#start('runBulkBatch', `bulk-${randomUUID()}`, spec, options, {
      summary: `Bulk batch of ${source}`,
      details: `Any number of requests at provider \`${provider}\`: split into parts, each a batch run of its own; what is left is tried again; all of it is merged. ${HOW_TO_STEER}`,
    });
    return new BulkBatchRun(handle, this.client);
  }

  /**
   * Starts requests as they come: they are written to storage one by one, in constant memory, and nothing is started if the
   * iterable throws.
   *
   * @param spec like that of {@link startBulkBatch}, with the storage that the worker reads too in place of the input
   */
  async startBulkBatchFrom(
    requests: AsyncIterable<BatchRequest> | Iterable<BatchRequest>,
    { storage, ...spec }: Omit<BulkBatchSpec, 'input'> & { readonly storage: Storage },
    options: StartOptions = {},
  ): Promise<BulkBatchRun> {
    const workflowId = options.workflowId ?? `bulk-${randomUUID()}`;
    const name = `${safeName(workflowId)}.requests.jsonl`;
    const uri = storage.resolve(spec.outputUri ?? storage.defaultRoot, 'inputs', name);
    checked(bulkBatchSpecSchema, { ...spec, input: { uri } });
    await storage.write(uri, linesOf(requests));
    return this.startBulkBatch({ ...spec, input: { uri } }, { ...options, workflowId });
  }

  /** A batch run that was started before, here or elsewhere. */
  batch(workflowId: string, runId?: string): BatchRun {
    return new BatchRun(this.client.workflow.getHandle(workflowId, runId), this.client);
  }

  /** A fine-tuning run that was started before, here or elsewhere. */
  fineTuning(workflowId: string, runId?: string): FineTuningRun {
    return new FineTuningRun(this.client.workflow.getHandle(workflowId, runId), this.client);
  }

  /** A bulk run that was started before, here or elsewhere. */
  bulkBatch(workflowId: string, runId?: string): BulkBatchRun {
    return new BulkBatchRun(this.client.workflow.getHandle(workflowId, runId), this.client);
  }

  async close(): Promise<void> {
    await this.client.connection.close();
  }

  #start(
    type: string,
    workflowId: string,
    spec: unknown,
    options: StartOptions,
    shown: { summary: string; details: string },
  ): Promise<WorkflowHandle> {
    return this.client.workflow.start(type, {
      taskQueue: this.taskQueue,
      workflowId,
      staticSummary: shown.summary.slice(0, 200),
      staticDetails: shown.details,
      ...options,
      args: [spec],
    });
  }
}

function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const { spec, report } = parseSpec(schema, value);
  if (report) throw new InvalidSpecError(describeFaults(report), report.faults);
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes > MAX_SPEC_BYTES) {
    const message = `the spec has ${bytes} bytes, the limit is ${MAX_SPEC_BYTES}: write the requests to a file and pass { uri }`;
    throw new InvalidSpecError(message, [{ message }]);
  }
  return spec;
}

async function* linesOf(requests: AsyncIterable<BatchRequest> | Iterable<BatchRequest>): AsyncGenerator<string> {
  for await (const request of requests) yield `${JSON.stringify({ method: 'POST', ...request })}\n`;
}
