/** One configured client per account, and what its provider supports. */
import type OpenAI from 'openai';
import type { AzureOpenAI } from 'openai';
import { BATCH_LIMITS, type BatchLimits } from '../contract/limits.js';
import type { BatchStatus, FineTuningStatus } from '../contract/status.js';
import { guardedClient } from './guarded-client.js';
import type { Unsupported } from './needs.js';
import type { OpenAIClient } from './openai-client.js';

/** Where a provider differs from OpenAI. */
export interface ProviderTraits {
  /**
   * Whether batches and fine-tuning jobs keep `metadata`. Without it a job cannot be found again if the answer to its
   * create was lost.
   * @default true
   */
  readonly metadata: boolean;
  /**
   * Whether batches and fine-tuning jobs can be listed, with their metadata. Without it, each run looks at its job
   * itself.
   * @default true
   */
  readonly lists: boolean;
  /**
   * Whether uploads accept `expires_after`.
   * @default true
   */
  readonly fileExpiry: boolean;
  /**
   * Whether a file must have the status `processed` before a job can use it, as at Azure.
   * @default false
   */
  readonly fileMustBeProcessed: boolean;
  /**
   * Whose rules training files are checked by. With `provider`, only the provider checks the examples; here each line
   * must be a JSON object. Models that are not OpenAI's are always treated so.
   * @default 'openai'
   */
  readonly trainingRules: 'openai' | 'provider';
  /**
   * Whether a job ends at its `expires_at`. Azure sends one and lets its jobs run on; it is then not read at all.
   * @default false for clients of Azure, true otherwise
   */
  readonly expiresAtIsFinal: boolean;
  /**
   * The provider's words for statuses, in lower case, and what they mean, such as `{ done: 'completed' }`. What is
   * common (`SUCCESS`, `canceled`, `error`, `cancel_requested`, `timeout_exceeded` and more) is understood without it.
   * @default {}
   */
  readonly statusWords: Readonly<Record<string, BatchStatus | FineTuningStatus>>;
  /**
   * Limits of a batch and its input file.
   * @default OpenAI's
   */
  readonly batchLimits: BatchLimits;
  /**
   * Number of fine-tuning jobs that may be unfinished at the same time; null if unknown. Used with `leaveFreeSlots`
   * only.
   * @default null
   */
  readonly fineTuningSlots: number | null;
  /**
   * What the provider has no API for in this dialect, each with a sentence that says what to do instead: `batches`,
   * `fineTuning` jobs, or `uploads` of the files of both. A run that needs it is refused before anything is sent.
   * @default {}
   */
  readonly unsupported: Unsupported;
}

/**
 * A provider as the worker's configuration describes it: a configured client, and where the provider differs from
 * OpenAI.
 */
export interface ProviderOptions extends Partial<Omit<ProviderTraits, 'batchLimits'>> {
  /**
   * The client is copied with `maxRetries: 0`: Temporal retries, so that one place decides and the UI shows it. Its
   * `timeout` bounds a request that carries no file, with its reply, and is reduced to one minute. An upload may take
   * five times as long, plus one second for each megabyte. Its `fetch` is called with `redirect: 'manual'`: redirects
   * are followed within the origin, and to another one only for the content of files and without the headers that
   * carry credentials.
   */
  readonly client: OpenAIClient;
  /**
   * Limits that differ from OpenAI's.
   * @default OpenAI's
   */
  readonly batchLimits?: Partial<BatchLimits>;
  /**
   * Further secrets that must not reach a failure or a log, such as a key that was replaced a moment ago. What the client
   * holds is known.
   * @default none
   */
  readonly secrets?: () => readonly string[];
}

export interface Provider extends ProviderTraits {
  readonly name: string;
  readonly client: OpenAI;
  /** Secrets that the client does not hold, or no longer. */
  readonly furtherSecrets: () => readonly string[];
}

const none = (): readonly string[] => [];

export class Providers {
  readonly #providers: ReadonlyMap<string, Provider>;

  constructor(providers: Readonly<Record<string, ProviderOptions>>) {
    this.#providers = new Map(
      Object.entries(providers).map(([name, { client, batchLimits, secrets, ...traits }]) => [
        name,
        {
          metadata: true,
          lists: true,
          fileExpiry: true,
          fileMustBeProcessed: false,
          fineTuningSlots: null,
          trainingRules: 'openai' as const,
          expiresAtIsFinal: !isAzure(client),
          statusWords: {},
          unsupported: {},
          ...withoutUndefined(traits),
          batchLimits: { ...BATCH_LIMITS, ...withoutUndefined(batchLimits ?? {}) },
          name,
          client: guardedClient(client),
          furtherSecrets: secrets ?? none,
        },
      ]),
    );
  }

  get names(): string[] {
    return [...this.#providers.keys()];
  }

  get all(): Provider[] {
    return [...this.#providers.values()];
  }

  get(name: string): Provider | undefined {
    return this.#providers.get(name);
  }

  /** Every secret that the clients hold at the moment, for redaction. */
  secrets(): string[] {
    const held = this.all.flatMap(({ client, furtherSecrets }) => [
      client.apiKey,
      client.adminAPIKey,
      client.webhookSecret,
      ...furtherSecrets(),
    ]);
    return held.filter((secret): secret is string => typeof secret === 'string' && secret.length >= MIN_SECRET_LENGTH);
  }
}

/** A shorter secret, such as the placeholder of a local server, would be replaced all over ordinary text. */
const MIN_SECRET_LENGTH = 4;

/** Whether the client is one of Azure: by its class, or by its address where the v1 API is used. */
function isAzure(client: OpenAIClient): boolean {
  const { apiVersion, baseURL } = client as Partial<Pick<AzureOpenAI, 'apiVersion' | 'baseURL'>>;
  return Boolean(apiVersion) || /^https:\/\/[^/]+\.azure\.(?:com|us|cn)(?:[:/]|$)/i.test(baseURL ?? '');
}

/** The options without those that are `undefined`, so that these do not override a default. */
function withoutUndefined<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
