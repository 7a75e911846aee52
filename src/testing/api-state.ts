import type { BatchStore } from './batches/batch-store.js';
import type { Clock } from './clock.js';
import type { FileStore } from './files/file-store.js';
import type { FineTuningStore } from './fine-tuning/fine-tuning-store.js';
import type { LocalApiLimits } from './limits.js';
import type { Scenarios } from './scenarios.js';
import type { Endpoint, Route, ServedCall } from './server/endpoint.js';
import type { UploadStore } from './uploads/upload-store.js';
import type { Webhooks } from './webhooks/webhooks.js';

interface ApiStateParts {
  readonly seed: number;
  readonly limits: LocalApiLimits;
  /** From a file's upload until it is `processed`. */
  readonly fileProcessingMs: number;
  readonly files: FileStore;
  readonly uploads: UploadStore;
  readonly batches: BatchStore;
  readonly fineTuningJobs: FineTuningStore;
  readonly scenarios: Scenarios;
  readonly webhooks: Webhooks;
}

/** Everything that the endpoints share. */
export interface ApiState extends ApiStateParts {
  /** Epoch ms on the API's clock. */
  readonly now: () => Promise<number>;
  /** Reads the clock, advances all jobs to that time and runs `work`. No other request is served in between. */
  readonly atCurrentTime: <T>(work: (now: number) => T | Promise<T>) => Promise<T>;
}

export function createApiState({ clock, ...parts }: ApiStateParts & { readonly clock: Clock }): ApiState {
  let lastWork: Promise<unknown> = Promise.resolve();
  const now = async (): Promise<number> => clock.now();
  return {
    ...parts,
    now,
    atCurrentTime: (work) => {
      const result = lastWork.then(async () => {
        const time = await now();
        await parts.batches.advance(time);
        await parts.fineTuningJobs.advance(time);
        return work(time);
      });
      lastWork = result.catch(() => undefined);
      return result;
    },
  };
}

/** An endpoint that replies with JSON and is served alone. What it changes may change when a job ends. */
export function jsonEndpoint(
  state: ApiState,
  route: Route,
  handle: (state: ApiState, call: ServedCall, now: number) => unknown,
): Endpoint {
  return {
    ...route,
    handle: async (call) => {
      const json = await state.atCurrentTime((now) => handle(state, call, now));
      if (route.method !== 'GET') state.webhooks.onChange();
      return { json };
    },
  };
}
