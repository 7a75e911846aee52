/** One configured client per account, and what its provider can and cannot do. */
import type OpenAI from 'openai';
import type { AzureOpenAI } from 'openai';
import { BATCH_LIMITS, type BatchLimits } from '../contract/limits.js';
import type { OpenAIClient } from './openai-client.js';

/** Where a provider differs from OpenAI. */
export interface ProviderTraits {
  /** Batches and jobs keep `metadata`: without it a create whose answer was lost cannot be found again. Default true. */
  readonly metadata: boolean;
  /** Uploads take `expires_after`. Default true. */
  readonly fileExpiry: boolean;
  /** A file must be `processed` before a job can use it (Azure). Default false. */
  readonly fileMustBeProcessed: boolean;
  /** Limits of a batch and its input file. Default: OpenAI's. */
  readonly batchLimits: BatchLimits;
  /** Fine-tuning jobs that may be unfinished at once; null where not known. Only used with `leaveFreeSlots`. Default null. */
  readonly fineTuningSlots: number | null;
}

/** A provider as the worker is given it: a configured client of the user's own, and where the provider differs. */
export interface ProviderOptions extends Partial<Omit<ProviderTraits, 'batchLimits'>> {
  /**
   * Its `maxRetries` is set to 0: Temporal retries, so that one place decides and the UI shows it. Its `timeout` is how long a request
   * that carries no file may take, but a minute at most; an upload has five times as long, and a second for each megabyte.
   */
  readonly client: OpenAIClient;
  readonly batchLimits?: Partial<BatchLimits>;
}

export interface Provider extends ProviderTraits {
  readonly name: string;
  readonly client: OpenAI;
}

export class Providers {
  readonly #providers: ReadonlyMap<string, Provider>;

  constructor(providers: Readonly<Record<string, ProviderOptions>>) {
    this.#providers = new Map(
      Object.entries(providers).map(([name, { client, batchLimits, ...traits }]) => [
        name,
        {
          metadata: true,
          fileExpiry: true,
          fileMustBeProcessed: false,
          fineTuningSlots: null,
          ...withoutUndefined(traits),
          batchLimits: { ...BATCH_LIMITS, ...withoutUndefined(batchLimits ?? {}) },
          name,
          client: withoutSdkRetries(client),
        },
      ]),
    );
  }

  get names(): string[] {
    return [...this.#providers.keys()];
  }

  get(name: string): Provider | undefined {
    return this.#providers.get(name);
  }

  /** Every secret that the clients hold now, for redaction. */
  secrets(): string[] {
    return [...this.#providers.values()].flatMap(({ client }) =>
      [client.apiKey, client.adminAPIKey, client.webhookSecret].filter(
        (secret): secret is string => typeof secret === 'string' && secret.length >= 4,
      ),
    );
  }
}

/** Longest wait for a reply, in ms. Shorter than the activities' start-to-close time-outs. */
const MAX_TIMEOUT_MS = 60_000;

/**
 * The same client, without retries of its own and with less patience. `AzureOpenAI` forgets its API version in `withOptions` and
 * throws, so it is told again.
 */
function withoutSdkRetries(client: OpenAIClient): OpenAI {
  const { apiVersion, deploymentName } = client as Partial<Pick<AzureOpenAI, 'apiVersion' | 'deploymentName'>>;
  const azure = apiVersion ? { apiVersion, deployment: deploymentName } : {};
  const options = { maxRetries: 0, timeout: Math.min(client.timeout, MAX_TIMEOUT_MS), ...azure };
  // The same class, whichever of its two declarations the caller's project sees.
  return client.withOptions(options) as OpenAI;
}

/** An option that is given as `undefined` is an option that is not given. */
function withoutUndefined<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
