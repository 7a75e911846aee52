import OpenAI, { AzureOpenAI } from 'openai';
import { expect, test } from 'vitest';
import { BATCH_LIMITS } from '../../../src/contract/limits.js';
import { Providers } from '../../../src/provider/providers.js';

const client = (options: ConstructorParameters<typeof OpenAI>[0] = {}) =>
  new OpenAI({ apiKey: 'sk-test-key', baseURL: 'http://localhost:1/v1', ...options });

test('provider: no traits given → those of OpenAI', () => {
  const { client: _, furtherSecrets, ...traits } = new Providers({ default: { client: client() } }).get('default')!;
  expect(traits).toEqual({
    name: 'default',
    metadata: true,
    lists: true,
    fileExpiry: true,
    fileMustBeProcessed: false,
    fineTuningSlots: null,
    trainingRules: 'openai',
    expiresAtIsFinal: true,
    statusWords: {},
    unsupported: {},
    batchLimits: BATCH_LIMITS,
  });
  expect(furtherSecrets()).toEqual([]);
});

test.each([
  ['the Azure class', new AzureOpenAI({ endpoint: 'https://a.example', apiKey: 'azure-key', apiVersion: 'v1' }), false],
  ['an address of Azure', client({ baseURL: 'https://unit.openai.azure.com/openai/v1/' }), false],
  ['an address that only contains the name', client({ baseURL: 'https://x.example/openai.azure.com/v1' }), true],
])('provider: a client of %s → expires_at is an end: %j', (_, own, expected) => {
  expect(new Providers({ default: { client: own } }).get('default')!.expiresAtIsFinal).toBe(expected);
});

test('provider: the trait is given for an Azure client → the trait', () => {
  const own = client({ baseURL: 'https://unit.openai.azure.com/openai/v1/' });
  expect(new Providers({ default: { client: own, expiresAtIsFinal: true } }).get('default')!.expiresAtIsFinal).toBe(
    true,
  );
});

test('provider: some traits given → these, and the defaults for the rest', () => {
  const providers = new Providers({
    azure: { client: client(), fileMustBeProcessed: true, batchLimits: { requests: 100_000 }, fineTuningSlots: 3 },
  });
  expect(providers.get('azure')).toMatchObject({
    metadata: true,
    lists: true,
    fileMustBeProcessed: true,
    fineTuningSlots: 3,
    batchLimits: { ...BATCH_LIMITS, requests: 100_000 },
  });
});

test('provider: traits that are given as undefined → the defaults', () => {
  const providers = new Providers({
    default: { client: client(), metadata: undefined, fileExpiry: undefined, batchLimits: { bytes: undefined } },
  });
  expect(providers.get('default')).toMatchObject({ metadata: true, fileExpiry: true, batchLimits: BATCH_LIMITS });
});

test('provider: a client that retries → a copy that does not; the original is unchanged', () => {
  const own = client({ maxRetries: 5, timeout: 1_234, organization: 'org-1', defaultHeaders: { 'x-team': 'search' } });
  const used = new Providers({ default: { client: own } }).get('default')!.client;
  expect(used.maxRetries).toBe(0);
  expect(own.maxRetries).toBe(5);
  expect([used.timeout, used.organization, used.baseURL, used.apiKey]).toEqual([
    1_234,
    'org-1',
    'http://localhost:1/v1',
    'sk-test-key',
  ]);
});

test('provider: an Azure client → the same endpoint and API version, without retries', () => {
  const own = new AzureOpenAI({
    endpoint: 'https://unit.openai.azure.com',
    apiKey: 'azure-key',
    apiVersion: '2025-04-01-preview',
    deployment: 'gpt',
  });
  const used = new Providers({ azure: { client: own } }).get('azure')!.client as AzureOpenAI;
  expect(used).toBeInstanceOf(AzureOpenAI);
  expect([used.maxRetries, used.apiVersion, used.baseURL, used.apiKey, used.deploymentName]).toEqual([
    0,
    '2025-04-01-preview',
    own.baseURL,
    'azure-key',
    'gpt',
  ]);
});

test('providers: names → as they were given; any other name → undefined, even a property that all objects have', () => {
  const providers = new Providers({ default: { client: client() }, groq: { client: client() } });
  expect(providers.names).toEqual(['default', 'groq']);
  expect(providers.get('groq')?.name).toBe('groq');
  for (const name of ['', 'Groq', 'constructor', '__proto__']) expect(providers.get(name)).toBeUndefined();
});

test('secrets: keys, admin keys and webhook secrets of all clients → all of them', () => {
  const providers = new Providers({
    default: { client: client({ apiKey: 'sk-first', webhookSecret: 'whsec_first' }) },
    other: { client: client({ apiKey: 'sk-second', adminAPIKey: 'sk-admin-second', webhookSecret: null }) },
  });
  expect(providers.secrets().toSorted()).toEqual(['sk-admin-second', 'sk-first', 'sk-second', 'whsec_first']);
});

test('secrets: a key of three characters or none → left out, since redacting it would garble every text', () => {
  const providers = new Providers({ default: { client: client({ apiKey: 'abc', webhookSecret: null }) } });
  expect(providers.secrets()).toEqual([]);
});
