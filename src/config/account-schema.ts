/** One account of the configuration: where the provider is, by which key, and how it differs from OpenAI. */
import { z } from 'zod';
import { durationSchema } from '../contract/spec-fields.js';
import { batchLimitsSchema, traitsSchema } from '../provider/traits-schema.js';
import { PRESET_NAMES } from './presets.js';
import { rule } from './rule.js';

const text = z.string().trim().min(1, 'must not be empty');
export const httpUrl = z.url({ protocol: /^https?$/, error: "must be an http(s) URL such as 'https://host/v1'" });

/** A function of a configuration in JavaScript or TypeScript. */
export type SecretFunction = () => string | Promise<string>;
const secretFunction = z.custom<SecretFunction>((value) => typeof value === 'function');

const variable = z.strictObject({ env: text });
const file = z.strictObject({ file: text });

const KEY_SOURCES = "must be { env: 'NAME' } or { file: '/path' }";

/** Where a secret comes from. None is written into the configuration, which others read. */
const secretSource = z.union([variable, file], { error: `${KEY_SOURCES}: a secret is not written into the file` });
const keySource = z.union([variable, file, secretFunction, z.null()], {
  error: `${KEY_SOURCES}, a function, or null for a server without keys: a key is not written into the file`,
});

export type SecretSource = z.output<typeof secretSource>;
export type KeySource = z.output<typeof keySource>;

type Fields = Readonly<Record<string, unknown>>;

const AZURE_ONLY = "is only for the preset 'azure'";
const has = (account: Fields, field: string): boolean => account[field] !== undefined;
const hasAzureAddress = (account: Fields): boolean =>
  account.preset !== 'azure' || has(account, 'endpoint') || has(account, 'baseURL');
const hasOneCredential = (account: Fields): boolean => !has(account, 'azureADTokenProvider') || !has(account, 'apiKey');
const isCompatible = (account: Fields, field: string): boolean =>
  account.preset !== 'compatible' || has(account, field);
/** Of an unknown preset, nothing can be said. */
const isAzureOr = (account: Fields, field: string): boolean =>
  !has(account, field) || account.preset === 'azure' || !PRESET_NAMES.some((name) => name === account.preset);

const accountFields = {
  /** Which provider it is. The preset has its address, the variable of its key, and where it differs from OpenAI. */
  preset: z.enum(PRESET_NAMES),
  /**
   * Address of the API, with its version.
   * @default that of the preset; `compatible` has none
   */
  baseURL: httpUrl.optional(),
  /**
   * The key: `{ env: 'NAME' }`, `{ file: '/path' }`, which is read again at each request, a function that is called at
   * each request, or null for a server without keys.
   * @default the variable of the preset
   */
  apiKey: keySource.optional(),
  /** `azure`: address of the resource, such as `https://my-resource.openai.azure.com`. */
  endpoint: httpUrl.optional(),
  /**
   * `azure`: the `api-version`, sent by `AzureOpenAI`.
   * @default the v1 API, which has none
   */
  apiVersion: text.optional(),
  /** `azure`: returns a token of Microsoft Entra, in place of a key. Called at each request. */
  azureADTokenProvider: secretFunction.optional(),
  /** `OpenAI-Organization`. */
  organization: text.optional(),
  /** `OpenAI-Project`. */
  project: text.optional(),
  /** Further headers of each request, such as those of a gateway: texts, `{ env: 'NAME' }` or `{ file: '/path' }`. */
  headers: z
    .record(z.string().regex(/^[\w-]+$/, 'must be the name of a header'), z.union([text, variable, file]))
    .optional(),
  /**
   * How long a request without a file may take. More than a minute has no effect.
   * @default '1m'
   */
  timeout: durationSchema.optional(),
  /**
   * Signing secrets of the webhooks of this account, read when the worker starts. A source may hold several, separated
   * by commas.
   * @default none, and webhooks of this account are not taken
   */
  webhookSecrets: secretSource.optional(),
  /** Where the provider differs from its preset. */
  traits: traitsSchema.optional(),
  /** Limits that differ from those of the preset. */
  batchLimits: batchLimitsSchema.optional(),
} as const;

export type AccountSchema = z.ZodObject<typeof accountFields, z.core.$strict>;
export const accountSchema: AccountSchema = z
  .strictObject(accountFields)
  .refine(...rule('endpoint', "not set: such as 'https://my-resource.openai.azure.com'", hasAzureAddress))
  .refine(
    ...rule(
      'baseURL',
      'must not be set beside endpoint',
      (account) => !(has(account, 'endpoint') && has(account, 'baseURL')),
    ),
  )
  .refine(...rule('apiKey', 'must not be set beside azureADTokenProvider', hasOneCredential))
  .refine(
    ...rule('baseURL', "not set: the preset 'compatible' has none", (account) => isCompatible(account, 'baseURL')),
  )
  .refine(
    ...rule(
      'apiKey',
      `not set: the preset 'compatible' has no variable of its own; it ${KEY_SOURCES}, or null for a server without keys`,
      (account) => isCompatible(account, 'apiKey'),
    ),
  )
  .refine(...rule('endpoint', AZURE_ONLY, (account) => isAzureOr(account, 'endpoint')))
  .refine(...rule('apiVersion', AZURE_ONLY, (account) => isAzureOr(account, 'apiVersion')))
  .refine(...rule('azureADTokenProvider', AZURE_ONLY, (account) => isAzureOr(account, 'azureADTokenProvider')));

/** One account of the configuration: where the provider is, by which key, and how it differs from OpenAI. */
export type AccountConfig = z.input<typeof accountSchema>;
