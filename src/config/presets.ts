/** What is known of providers, so that an account needs little more than a key. */
import { BATCH_LIMITS, type BatchLimits } from '../contract/limits.js';
import type { Unsupported } from '../provider/needs.js';
import type { ProviderTraits } from '../provider/providers.js';

export const PRESET_NAMES = ['openai', 'azure', 'groq', 'together', 'mistral', 'compatible'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

export interface Preset {
  /** Null where each account has its own. */
  readonly baseURL: string | null;
  /** The variable that has the key unless the account names another source; null where there is none. */
  readonly keyVariable: string | null;
  /** Where it differs from OpenAI. */
  readonly traits: Partial<Omit<ProviderTraits, 'batchLimits'>>;
  readonly batchLimits: Partial<BatchLimits>;
  /** What it has no API for at its own address. A gateway at another address may have it. */
  readonly unsupported?: Unsupported;
}

/** A provider of the same API that does not train OpenAI's models, and knows no time at which files expire. */
const SIMILAR = { fileExpiry: false, trainingRules: 'provider' } as const;

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  openai: { baseURL: 'https://api.openai.com/v1', keyVariable: 'OPENAI_API_KEY', traits: {}, batchLimits: {} },
  azure: {
    baseURL: null,
    keyVariable: 'AZURE_OPENAI_API_KEY',
    traits: { fileMustBeProcessed: true, expiresAtIsFinal: false },
    batchLimits: { requests: 100_000 },
  },
  groq: {
    baseURL: 'https://api.groq.com/openai/v1',
    keyVariable: 'GROQ_API_KEY',
    traits: SIMILAR,
    batchLimits: { bytes: BATCH_LIMITS.bytes / 2 },
    unsupported: { fineTuning: 'Groq trains no models' },
  },
  // Its jobs come back without metadata, also in its list.
  together: {
    baseURL: 'https://api.together.xyz/v1',
    keyVariable: 'TOGETHER_API_KEY',
    traits: { ...SIMILAR, metadata: false, lists: false },
    batchLimits: {},
    unsupported: {
      uploads:
        'Together takes files at /files/upload only, with fields of its own. Upload the file with its client and the ' +
        'purpose batch-api, and pass { fileId } to a batch',
      fineTuning: 'Together trains at /fine-tunes, by an API of its own',
    },
  },
  mistral: {
    baseURL: 'https://api.mistral.ai/v1',
    keyVariable: 'MISTRAL_API_KEY',
    traits: SIMILAR,
    batchLimits: {},
    unsupported: {
      batches:
        'Mistral has them at /batch/jobs, by an API of its own. Set the baseURL of a gateway that translates, such as LiteLLM',
      fineTuning: 'Mistral trains by an API of its own, with training_files and hyperparameters',
    },
  },
  compatible: { baseURL: null, keyVariable: null, traits: { trainingRules: 'provider' }, batchLimits: {} },
};
