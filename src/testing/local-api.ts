import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { batchEndpoints } from './batches/batch-endpoints.js';
import { batchObject } from './batches/batch-object.js';
import { BATCH_SCENARIOS, type BatchScenario } from './batches/batch-scenario.js';
import { BatchStore } from './batches/batch-store.js';
import { DEFAULT_BATCH_TIMING } from './batches/batch-timing.js';
import { realClock } from './clock.js';
import { FaultBook } from './faults/fault-book.js';
import { fileEndpoints } from './files/file-endpoints.js';
import { fileObject, FileStore } from './files/file-store.js';
import { fineTuningEndpoints } from './fine-tuning/fine-tuning-endpoints.js';
import { fineTuningObject } from './fine-tuning/fine-tuning-object.js';
import { FINE_TUNING_SCENARIOS, type FineTuningScenario } from './fine-tuning/fine-tuning-scenario.js';
import { FineTuningStore } from './fine-tuning/fine-tuning-store.js';
import { DEFAULT_FINE_TUNING_TIMING } from './fine-tuning/fine-tuning-timing.js';
import { DEFAULT_LIMITS } from './limits.js';
import type { LocalApiOptions } from './local-api-options.js';
import { ScenarioQueue } from './scenario-queue.js';
import { Scenarios } from './scenarios.js';
import { buildApp } from './server/app.js';
import type { LoggedRequest } from './server/request-log.js';
import { uploadEndpoints } from './uploads/upload-endpoints.js';
import { makeWorld, type CreatedBatch, type CreatedJob, type World } from './world.js';
import type { WireBatch, WireFile, WireFineTuningJob } from './wire.js';

export const DEFAULT_API_KEY = 'sk-local';

/**
 * An HTTP server that plays OpenAI's files, batches and fine-tuning endpoints, on 127.0.0.1 only.
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
  /** What happens to whole batches and jobs. */
  readonly scenarios: Scenarios;
  /** All requests so far, without bodies. */
  readonly requests: readonly LoggedRequest[];
  readonly #app: FastifyInstance;
  readonly #world: World;

  private constructor(parts: {
    url: string;
    apiKey: string;
    faults: FaultBook;
    requests: LoggedRequest[];
    app: FastifyInstance;
    world: World;
  }) {
    this.url = parts.url;
    this.apiKey = parts.apiKey;
    this.faults = parts.faults;
    this.scenarios = new Scenarios(parts.world);
    this.requests = parts.requests;
    this.#app = parts.app;
    this.#world = parts.world;
  }

  static async start(options: LocalApiOptions = {}): Promise<LocalApi> {
    const { apiKey = DEFAULT_API_KEY, seed = 1, port = 0 } = options;
    const folder = await mkdtemp(join(tmpdir(), 'temporal-llm-jobs-local-api-'));
    const files = new FileStore(folder, seed);
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const world = makeWorld({
      clock: options.clock ?? realClock(),
      seed,
      limits,
      files,
      fileProcessingMs: options.fileProcessingMs ?? 0,
      batches: new BatchStore({ files, limits, seed, timing: { ...DEFAULT_BATCH_TIMING, ...options.batches } }),
      jobs: new FineTuningStore({ files, seed, timing: { ...DEFAULT_FINE_TUNING_TIMING, ...options.fineTuning } }),
      batchScenarios: new ScenarioQueue<CreatedBatch, BatchScenario>(BATCH_SCENARIOS),
      jobScenarios: new ScenarioQueue<CreatedJob, FineTuningScenario>(FINE_TUNING_SCENARIOS),
    });
    const faults = new FaultBook(seed);
    const requests: LoggedRequest[] = [];
    try {
      const endpoints = [
        ...fileEndpoints(world),
        ...uploadEndpoints(world),
        ...batchEndpoints(world),
        ...fineTuningEndpoints(world),
      ];
      const app = await buildApp(endpoints, {
        apiKey,
        seed,
        fileBytes: limits.fileBytes,
        now: world.now,
        faults,
        requests,
        logger: options.logger,
      });
      await app.listen({ host: '127.0.0.1', port });
      const { port: bound } = app.server.address() as AddressInfo;
      return new LocalApi({ url: `http://127.0.0.1:${bound}/v1`, apiKey, faults, requests, app, world });
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** All batches at the clock's now, newest first, as they really are: without the distortions of scenarios. */
  batches(): Promise<WireBatch[]> {
    return this.#world.visit((now) => this.#world.batches.list().map((record) => batchObject(record, now)));
  }

  /** All fine-tuning jobs at the clock's now, newest first, as they really are. */
  fineTuningJobs(): Promise<WireFineTuningJob[]> {
    return this.#world.visit((now) => this.#world.jobs.list().map((record) => fineTuningObject(record, now)));
  }

  /** All files that are neither deleted nor expired, newest first. */
  files(): Promise<WireFile[]> {
    return this.#world.visit((now) => this.#world.files.list(now).map((file) => fileObject(file, now)));
  }

  /** The text of a file, also of one that is deleted or expired. @throws when there never was one */
  fileContent(id: string): Promise<string> {
    return this.#world.visit(async () => {
      const path = this.#world.files.pathOf(id);
      if (path === undefined) throw new Error(`There is no file ${id}.`);
      return readFile(path, 'utf8');
    });
  }

  /** Closes all connections, also those left silent by faults, and removes the files. */
  async close(): Promise<void> {
    await this.#app.close();
    await rm(this.#world.files.folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
