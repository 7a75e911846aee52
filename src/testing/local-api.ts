import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { createApiState, type ApiState } from './api-state.js';
import { batchEndpoints } from './batches/batch-endpoints.js';
import { batchObject } from './batches/batch-object.js';
import { BatchStore } from './batches/batch-store.js';
import { DEFAULT_BATCH_TIMING, type BatchTiming } from './batches/batch-timing.js';
import { realClock, type Clock } from './clock.js';
import { FaultBook } from './faults/fault-book.js';
import { fileEndpoints } from './files/file-endpoints.js';
import { fileObject, FileStore } from './files/file-store.js';
import { fineTuningEndpoints } from './fine-tuning/fine-tuning-endpoints.js';
import { fineTuningObject } from './fine-tuning/fine-tuning-object.js';
import { FineTuningStore } from './fine-tuning/fine-tuning-store.js';
import { DEFAULT_FINE_TUNING_TIMING, type FineTuningTiming } from './fine-tuning/fine-tuning-timing.js';
import { DEFAULT_LIMITS, type LocalApiLimits } from './limits.js';
import { Scenarios } from './scenarios.js';
import { buildApp } from './server/app.js';
import type { LoggedRequest } from './server/request.js';
import { uploadEndpoints } from './uploads/upload-endpoints.js';
import { UploadStore } from './uploads/upload-store.js';
import { webhookApi } from './webhooks/webhook-api.js';
import { Webhooks, type LocalWebhook } from './webhooks/webhooks.js';
import type { WireBatch, WireFile, WireFineTuningJob } from './wire.js';

/** The key that the local API accepts by default. */
export const DEFAULT_API_KEY = 'sk-local';

/** How the local API behaves. */
export interface LocalApiOptions {
  /** The only key that is accepted. @default 'sk-local' */
  readonly apiKey?: string;
  /** @default real time */
  readonly clock?: Clock;
  /** Fixes ids, jitter, answers and their order. @default 1 */
  readonly seed?: number;
  /** @default 0: any free port */
  readonly port?: number;
  /** The durations of batches. @default DEFAULT_BATCH_TIMING */
  readonly batches?: Partial<BatchTiming>;
  /** The durations of fine-tuning jobs. @default DEFAULT_FINE_TUNING_TIMING */
  readonly fineTuning?: Partial<FineTuningTiming>;
  /** From an upload until the file's status is `processed`, on the clock. @default 0 */
  readonly fileProcessingMs?: number;
  /** @default DEFAULT_LIMITS */
  readonly limits?: Partial<LocalApiLimits>;
  /** An endpoint for webhooks that is there from the start; more are added with `webhooks.add`. @default none */
  readonly webhooks?: LocalWebhook;
  /** Waits between the attempts of a webhook delivery, on the clock. @default DEFAULT_WEBHOOK_BACKOFF_MS */
  readonly webhookBackoffMs?: readonly number[];
  /** Receives one line a request, e.g. `console`. @default none */
  readonly logger?: { info: (message: string) => void };
}

interface LocalApiParts {
  readonly url: string;
  readonly apiKey: string;
  readonly faults: FaultBook;
  readonly requests: readonly LoggedRequest[];
  readonly app: FastifyInstance;
  readonly state: ApiState;
}

/**
 * An HTTP server that simulates OpenAI's files, uploads, batches, fine-tuning and webhook endpoints, on 127.0.0.1 only.
 *
 * @example
 * await using api = await LocalApi.start({ clock: new ManualClock() });
 * const client = new OpenAI({ baseURL: api.url, apiKey: api.apiKey, maxRetries: 0 });
 */
export class LocalApi implements AsyncDisposable {
  /** Base URL for clients, e.g. `http://127.0.0.1:4010/v1`. */
  readonly url: string;
  readonly apiKey: string;
  /** Faults of single requests. */
  readonly faults: FaultBook;
  /** What happens to whole batches and fine-tuning jobs. */
  readonly scenarios: Scenarios;
  /** The webhooks that are sent when jobs end, and their faults. */
  readonly webhooks: Webhooks;
  /** All requests so far, without bodies. */
  readonly requests: readonly LoggedRequest[];
  readonly #app: FastifyInstance;
  readonly #state: ApiState;

  private constructor(parts: LocalApiParts) {
    this.url = parts.url;
    this.apiKey = parts.apiKey;
    this.faults = parts.faults;
    this.scenarios = parts.state.scenarios;
    this.webhooks = parts.state.webhooks;
    this.requests = parts.requests;
    this.#app = parts.app;
    this.#state = parts.state;
  }

  static async start(options: LocalApiOptions = {}): Promise<LocalApi> {
    const { apiKey = DEFAULT_API_KEY, seed = 1, port = 0, logger } = options;
    const folder = await mkdtemp(join(tmpdir(), 'temporal-llm-jobs-local-api-'));
    const state = stateOf(folder, seed, options);
    const faults = new FaultBook(seed);
    const requests: LoggedRequest[] = [];
    try {
      const endpoints = [
        ...fileEndpoints(state),
        ...uploadEndpoints(state),
        ...batchEndpoints(state),
        ...fineTuningEndpoints(state),
        ...webhookApi(state),
      ];
      const { fileBytes } = state.limits;
      const app = await buildApp(endpoints, {
        apiKey,
        seed,
        fileBytes,
        now: () => state.now(),
        faults,
        requests,
        logger,
      });
      await app.listen({ host: '127.0.0.1', port });
      state.webhooks.start(state);
      if (options.webhooks !== undefined) await state.webhooks.add(options.webhooks);
      const { port: boundPort } = app.server.address() as AddressInfo;
      return new LocalApi({ url: `http://127.0.0.1:${boundPort}/v1`, apiKey, faults, requests, app, state });
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** All batches at the current time, newest first, without the distortions of scenarios. */
  batches(): Promise<WireBatch[]> {
    const { batches } = this.#state;
    return this.#state.atCurrentTime((now) => batches.list().map((record) => batchObject(record, now)));
  }

  /** All fine-tuning jobs at the current time, newest first, without the distortions of scenarios. */
  fineTuningJobs(): Promise<WireFineTuningJob[]> {
    const { fineTuningJobs } = this.#state;
    return this.#state.atCurrentTime((now) => fineTuningJobs.list().map((record) => fineTuningObject(record, now)));
  }

  /** All files that are neither deleted nor expired, newest first. */
  files(): Promise<WireFile[]> {
    const { files } = this.#state;
    return this.#state.atCurrentTime((now) => files.listAvailable(now).map((file) => fileObject(file, now)));
  }

  /** The text of a file, even of one that is deleted or expired. @throws if there never was such a file */
  fileContent(id: string): Promise<string> {
    return this.#state.atCurrentTime(async () => {
      const file = this.#state.files.find(id);
      if (file === undefined) throw new Error(`unknown file ${id}`);
      return readFile(file.path, 'utf8');
    });
  }

  /** Closes all connections, also those that a fault left silent, and removes the files. */
  async close(): Promise<void> {
    this.webhooks.close();
    await this.#app.close();
    await rm(this.#state.files.folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function stateOf(folder: string, seed: number, options: LocalApiOptions): ApiState {
  const files = new FileStore({ folder, seed });
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const clock = options.clock ?? realClock();
  return createApiState({
    clock,
    seed,
    limits,
    fileProcessingMs: options.fileProcessingMs ?? 0,
    files,
    uploads: new UploadStore({ seed }),
    batches: new BatchStore({ files, limits, seed, timing: { ...DEFAULT_BATCH_TIMING, ...options.batches } }),
    fineTuningJobs: new FineTuningStore({
      files,
      seed,
      timing: { ...DEFAULT_FINE_TUNING_TIMING, ...options.fineTuning },
    }),
    scenarios: new Scenarios(),
    webhooks: new Webhooks({ clock, seed, backoffMs: options.webhookBackoffMs }),
  });
}
