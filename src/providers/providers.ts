/** One configured client per account, and what its provider can and cannot do. */
import type OpenAI from 'openai';
import { BATCH_LIMITS, type BatchLimits } from '../jobs/limits.js';

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
  /** Its `maxRetries` is set to 0: Temporal retries, so that one place decides and the UI shows it. */
  readonly client: OpenAI;
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
          ...traits,
          batchLimits: { ...BATCH_LIMITS, ...batchLimits },
          name,
          client: client.withOptions({ maxRetries: 0 }),
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
