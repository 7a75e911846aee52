import type { BatchStore } from './batches/batch-store.js';
import type { Clock } from './clock.js';
import type { FileStore } from './files/file-store.js';
import type { FineTuningStore } from './fine-tuning/fine-tuning-store.js';
import type { LocalApiLimits } from './limits.js';
import type { Scenarios } from './scenarios.js';
import type { Endpoint, Route, ServedCall } from './server/endpoint.js';
import type { UploadStore } from './uploads/upload-store.js';

interface ApiStateParts {
  readonly clock: Clock;
  readonly seed: number;
  readonly limits: LocalApiLimits;
  /** From a file's upload until it is `processed`. */
  readonly fileProcessingMs: number;
  readonly files: FileStore;
  readonly uploads: UploadStore;
  readonly batches: BatchStore;
  readonly fineTuningJobs: FineTuningStore;
  readonly scenarios: Scenarios;
}

/** Everything that the endpoints share. */
export class ApiState {
  readonly seed: number;
  readonly limits: LocalApiLimits;
  readonly fileProcessingMs: number;
  readonly files: FileStore;
  readonly uploads: UploadStore;
  readonly batches: BatchStore;
  readonly fineTuningJobs: FineTuningStore;
  readonly scenarios: Scenarios;
  readonly #clock: Clock;
  #lastWork: Promise<unknown> = Promise.resolve();

  constructor(parts: ApiStateParts) {
    this.seed = parts.seed;
    this.limits = parts.limits;
    this.fileProcessingMs = parts.fileProcessingMs;
    this.files = parts.files;
    this.uploads = parts.uploads;
    this.batches = parts.batches;
    this.fineTuningJobs = parts.fineTuningJobs;
    this.scenarios = parts.scenarios;
    this.#clock = parts.clock;
  }

  /** Epoch ms. */
  async now(): Promise<number> {
    return this.#clock.now();
  }

  /** Reads the clock, advances all jobs to that time and runs `work`. No other request is served in between. */
  atCurrentTime<T>(work: (now: number) => T | Promise<T>): Promise<T> {
    const result = this.#lastWork.then(async () => {
      const now = await this.now();
      await this.batches.advance(now);
      await this.fineTuningJobs.advance(now);
      return work(now);
    });
    this.#lastWork = result.catch(() => undefined);
    return result;
  }
}

/** An endpoint that replies with JSON and is served alone. */
export function jsonEndpoint(
  state: ApiState,
  route: Route,
  handle: (state: ApiState, call: ServedCall, now: number) => unknown,
): Endpoint {
  return {
    ...route,
    handle: (call) => state.atCurrentTime(async (now) => ({ json: await handle(state, call, now) })),
  };
}
