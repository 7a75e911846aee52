/** The accounts of a configuration, with their keys. */
import type { z } from 'zod';
import type { BatchLimits } from '../contract/limits.js';
import { toMs } from '../contract/duration.js';
import type { ProviderTraits } from '../provider/providers.js';
import { checkedSecrets } from '../webhooks/verify-delivery.js';
import type { accountSchema, SecretSource } from './account-schema.js';
import type { Variables } from './environment.js';
import type { ConfigFault } from './faults.js';
import { PRESETS, type PresetName } from './presets.js';
import { DEFAULT_ACCOUNT } from './schema.js';
import { readSecret, secretOf, type Secret, type SecretPlaces } from './secrets.js';

export type CheckedAccount = z.output<typeof accountSchema>;

export interface Account {
  /** What specs give as `provider`. */
  readonly name: string;
  readonly preset: PresetName;
  /** Address of the API, with its version. */
  readonly url: string;
  readonly key: Secret;
  /** What the key is: one of Azure goes into a header of its own. */
  readonly keyKind: 'bearer' | 'azureKey';
  /** The `api-version` of Azure; null elsewhere, and for Azure's v1 API. */
  readonly apiVersion: string | null;
  readonly organization: string | null;
  readonly project: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the variables of the `openai` package describe this account: its key is one of them. */
  readonly isByVariables: boolean;
  readonly timeoutMs: number;
  readonly traits: Partial<Omit<ProviderTraits, 'batchLimits'>>;
  readonly batchLimits: Partial<BatchLimits>;
  /** Signing secrets of its webhooks; empty where none are taken. */
  readonly webhookSecrets: readonly string[];
  /** Values that must not be printed, as far as they are known now. */
  readonly secrets: () => readonly string[];
}

/** Either the account, or what is wrong with it. */
export interface ResolvedAccount {
  readonly account: Account | null;
  readonly faults: readonly ConfigFault[];
}

const OPENAI_KEY = 'OPENAI_API_KEY';
const MAX_TIMEOUT_MS = 60_000;

/** The account that the variables describe. */
function accountByVariables(variables: Partial<Variables>): CheckedAccount {
  const { OPENAI_WEBHOOK_SECRET: secret, LLM_JOBS_CREATES_PER_HOUR: createsPerHour } = variables;
  return {
    preset: 'openai',
    ...(secret !== undefined && { webhookSecrets: { env: 'OPENAI_WEBHOOK_SECRET' } }),
    ...(createsPerHour !== undefined && { batchLimits: { createsPerHour } }),
  };
}

/**
 * Reads what an account needs beside the file.
 *
 * @param path the account's path in faults; null: it comes from the environment, and variables are named instead
 */
async function resolveAccount(
  name: string,
  given: CheckedAccount,
  places: SecretPlaces,
  path: string | null = `accounts.${name}`,
): Promise<ResolvedAccount> {
  const faults: ConfigFault[] = [];
  const field = (ofFile: string, variable: string) => (path === null ? variable : `${path}.${ofFile}`);
  const attempt = async <T>(where: string, read: () => T | Promise<T>): Promise<T | null> => {
    try {
      return await read();
    } catch (error) {
      faults.push({ field: where, message: error instanceof Error ? error.message : String(error) });
      return null;
    }
  };
  const key = await attempt(field('apiKey', OPENAI_KEY), () => keyOf(given, places, path === null));
  const webhookSecrets = await attempt(field('webhookSecrets', 'OPENAI_WEBHOOK_SECRET'), () =>
    webhookSecretsOf(given.webhookSecrets, places),
  );
  const headers: Record<string, string> = {};
  for (const [header, value] of Object.entries(given.headers ?? {})) {
    const read = await attempt(field(`headers.${header}`, header), () =>
      typeof value === 'string' ? value : readSecret(value, places),
    );
    headers[header] = read ?? '';
  }
  if (!key || !webhookSecrets || faults.length > 0) return { account: null, faults };
  const sourced = Object.entries(given.headers ?? {}).filter(([, value]) => typeof value !== 'string');
  const secretHeaders = sourced.map(([header]) => headers[header] ?? '');
  const account = {
    ...connectionOf(name, given, places),
    key,
    headers,
    webhookSecrets,
    secrets: () => [...key.seen(), ...webhookSecrets, ...secretHeaders],
  };
  return { account, faults: [] };
}

async function keyOf(
  { preset, apiKey, azureADTokenProvider }: CheckedAccount,
  places: SecretPlaces,
  isByVariables: boolean,
): Promise<Secret> {
  const { keyVariable } = PRESETS[preset];
  const source = azureADTokenProvider ?? (apiKey === undefined ? { env: keyVariable ?? OPENAI_KEY } : apiKey);
  if (isByVariables && !places.environment[OPENAI_KEY]?.trim()) throw new Error('not set: the worker needs an API key');
  const key = secretOf(source, places);
  // A function may take a while or ask a person: it is called for the first request.
  if (typeof source !== 'function') await key.read();
  return key;
}

async function webhookSecretsOf(source: SecretSource | undefined, places: SecretPlaces): Promise<readonly string[]> {
  return source === undefined ? [] : checkedSecrets(listedSecrets(await readSecret(source, places)));
}

/** The secrets of a list that is separated by commas or blanks: two while one is rotated. */
function listedSecrets(list: string): string[] {
  return list.split(/[\s,]+/).filter((secret) => secret !== '');
}

function connectionOf(
  name: string,
  given: CheckedAccount,
  { environment }: SecretPlaces,
): Omit<Account, 'key' | 'headers' | 'webhookSecrets' | 'secrets'> {
  const { preset, apiVersion, azureADTokenProvider, timeout } = given;
  const byPreset = PRESETS[preset];
  // The variables of the `openai` package describe one account: the one whose key is among them.
  const isByVariables = preset === 'openai' && isVariable(given.apiKey, OPENAI_KEY);
  const variable = (variableName: string) => (isByVariables ? environment[variableName]?.trim() || null : null);
  return {
    name,
    preset,
    url: given.baseURL ?? azureUrl(given) ?? variable('OPENAI_BASE_URL') ?? byPreset.baseURL ?? '',
    isByVariables,
    keyKind: preset === 'azure' && !azureADTokenProvider ? 'azureKey' : 'bearer',
    apiVersion: apiVersion ?? null,
    organization: given.organization ?? variable('OPENAI_ORG_ID'),
    project: given.project ?? variable('OPENAI_PROJECT_ID'),
    timeoutMs: Math.min(toMs(timeout ?? MAX_TIMEOUT_MS), MAX_TIMEOUT_MS),
    // A gateway at another address may have what the provider's own API has not.
    traits: {
      ...byPreset.traits,
      ...(given.baseURL === undefined && { unsupported: byPreset.unsupported ?? {} }),
      ...given.traits,
    },
    batchLimits: { ...byPreset.batchLimits, ...given.batchLimits },
  };
}

function isVariable(source: CheckedAccount['apiKey'], name: string): boolean {
  if (source === undefined) return true;
  return typeof source === 'object' && source !== null && 'env' in source && source.env === name;
}

/** Its v1 API is that of OpenAI; with an `api-version`, the client adds the rest. */
function azureUrl({ endpoint, apiVersion }: CheckedAccount): string | null {
  if (endpoint === undefined) return null;
  return `${endpoint.replace(/\/+$/, '')}/openai${apiVersion === undefined ? '/v1' : ''}`;
}

/** The accounts of the configuration, or what is wrong with them. */
export async function resolveAccounts(
  accounts: Readonly<Record<string, CheckedAccount>> | undefined,
  variables: Partial<Variables>,
  places: SecretPlaces,
): Promise<{ readonly accounts: readonly Account[]; readonly faults: readonly ConfigFault[] }> {
  const resolving = accounts
    ? Object.entries(accounts).map(([name, account]) => resolveAccount(name, account, places))
    : [resolveAccount(DEFAULT_ACCOUNT, accountByVariables(variables), places, null)];
  const resolved = await Promise.all(resolving);
  return {
    accounts: resolved.flatMap(({ account }) => account ?? []),
    faults: resolved.flatMap(({ faults }) => faults),
  };
}
