/** The configuration by a file: what it sets, how it is found, and what is wrong with it. */
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Environment } from '../../../src/config/load-file.js';
import { configFolder } from '../../support/config-folder.js';
import { SECRET } from '../../support/webhook-requests.js';

const KEY = 'unlike-7hIsMustNotBePrinted0123456789';
const ENVIRONMENT = { OPENAI_API_KEY: 'sk-of-the-environment', GROQ_API_KEY: KEY, HOOKS: SECRET };
const TWO_ACCOUNTS = { default: { preset: 'openai' }, groq: { preset: 'groq' } };

test('config file: everything → everything is used, and paths are relative to its folder', async () => {
  await using config = await configFolder({
    'llm-jobs.config.json': {
      accounts: {
        default: {
          preset: 'compatible',
          baseURL: 'http://localhost:8000/v1',
          apiKey: { file: 'key.txt' },
          organization: 'org-1',
          project: 'proj-1',
          headers: { 'x-team': 'search', 'x-gateway': { env: 'GROQ_API_KEY' } },
          timeout: '10s',
          webhookSecrets: { env: 'HOOKS' },
          traits: { lists: false },
          batchLimits: { requests: 7 },
        },
      },
      taskQueue: 'queue',
      storage: ['out', 's3://bucket/jobs/'],
      s3: { endpoint: 'http://localhost:9000', region: 'eu-1', forcePathStyle: true },
      poll: { min: '1s', max: '2s' },
      watch: { mode: 'job', net: '1h', onOrphan: 'cancel' },
      webhooks: { port: 0, host: '::1' },
      metrics: { port: 9_464, host: '0.0.0.0' },
      worker: { logLevel: 'DEBUG', maxActivities: 7, maxMemory: '1GB', shutdownGrace: '1m', tracing: 'otlp' },
      proxy: 'http://proxy:3128',
      prices: { 'gpt-5*': { input: 1, output: 2 } },
    },
    'key.txt': `${KEY}\n`,
  });
  const { accounts, ...rest } = await config.read(ENVIRONMENT);
  expect(rest).toEqual({
    file: join(config.folder, 'llm-jobs.config.json'),
    taskQueue: 'queue',
    storage: [pathToFileURL(join(config.folder, 'out')).href, 's3://bucket/jobs/'],
    s3: { endpoint: 'http://localhost:9000', region: 'eu-1', forcePathStyle: true },
    prices: { 'gpt-5*': { input: 1, output: 2 } },
    poll: { min: 1_000, max: 2_000 },
    watch: { mode: 'job', net: 3_600_000, onOrphan: 'cancel' },
    logLevel: 'DEBUG',
    maxActivities: 7,
    maxMemory: 2 ** 30,
    shutdownGraceMs: 60_000,
    webhooks: { port: 0, host: '::1' },
    metrics: { port: 9_464, host: '0.0.0.0' },
    tracing: 'otlp',
    proxy: 'http://proxy:3128',
    notes: [],
  });
  expect(accounts).toMatchObject([
    {
      name: 'default',
      url: 'http://localhost:8000/v1',
      organization: 'org-1',
      project: 'proj-1',
      headers: { 'x-team': 'search', 'x-gateway': KEY },
      timeoutMs: 10_000,
      webhookSecrets: [SECRET],
      traits: { lists: false, trainingRules: 'provider' },
      batchLimits: { requests: 7 },
    },
  ]);
  expect(await accounts[0]?.key.read()).toBe(KEY);
});

test('config file: variables → used for what the file leaves out, named where the file sets the same', async () => {
  await using config = await configFolder({ 'llm-jobs.config.json': { taskQueue: 'mine', poll: { max: '1m' } } });
  const variables = { LLM_JOBS_TASK_QUEUE: 'theirs', LLM_JOBS_POLL_MIN: '2s', LLM_JOBS_POLL_MAX: 'not read' };
  const { taskQueue, poll, accounts, notes } = await config.read({ ...ENVIRONMENT, ...variables });
  expect({ taskQueue, poll }).toEqual({ taskQueue: 'mine', poll: { min: 2_000, max: 60_000 } });
  expect(accounts).toMatchObject([{ name: 'default', preset: 'openai' }]);
  expect(notes).toEqual([
    'LLM_JOBS_TASK_QUEUE is not read: the file sets taskQueue',
    'LLM_JOBS_POLL_MAX is not read: the file sets poll.max',
  ]);
});

test('config file: accounts → the variables of OpenAI reach none but the account with that key', async () => {
  await using config = await configFolder({
    'llm-jobs.config.json': {
      accounts: { ...TWO_ACCOUNTS, second: { preset: 'openai', apiKey: { env: 'GROQ_API_KEY' } } },
    },
  });
  const gateway = { OPENAI_BASE_URL: 'http://gateway/v1', OPENAI_ORG_ID: 'org-1', OPENAI_PROJECT_ID: 'proj-1' };
  const { accounts } = await config.read({ ...ENVIRONMENT, ...gateway });
  expect(accounts.map(({ name, url, organization, project }) => [name, url, organization, project])).toEqual([
    ['default', 'http://gateway/v1', 'org-1', 'proj-1'],
    ['groq', 'https://api.groq.com/openai/v1', null, null],
    ['second', 'https://api.openai.com/v1', null, null],
  ]);
});

async function faultsOf(file: object, environment: Environment = ENVIRONMENT): Promise<string[]> {
  await using config = await configFolder({ 'llm-jobs.config.json': file });
  // Awaited here: the folder is removed when this function returns.
  return await config.faults(environment);
}

describe('config file: faults → all at once, each with its path, and no value', () => {
  test('of every kind', async () => {
    const faults = await faultsOf({
      acounts: {},
      accounts: {
        default: { preset: 'openai', apiKey: KEY },
        groq: { preset: 'groq', apikey: KEY, traits: { metdata: true } },
        azure: { preset: 'azure', endpoint: 3 },
        local: { preset: 'compatible' },
        'my account': { preset: 'grok', endpoint: 'https://x' },
      },
      poll: { min: '1h', mx: 1 },
      storage: [],
      worker: { maxMemory: '81MB' },
      proxy: `http://me:${KEY}@proxy`,
      prices: { 'gpt-*-mini': { input: '1' } },
    });
    expect(faults).toEqual(
      expect.arrayContaining([
        'acounts: is not a field: did you mean "accounts"?',
        expect.stringMatching(/^accounts\.default\.apiKey: must be \{ env: 'NAME' \} or .*not written into the file$/),
        'accounts.groq.apikey: is not a field: did you mean "apiKey"?',
        'accounts.groq.traits.metdata: is not a field: did you mean "metadata"?',
        "accounts.azure.endpoint: must be an http(s) URL such as 'https://host/v1'",
        "accounts.local.baseURL: not set: the preset 'compatible' has none",
        expect.stringMatching(/^accounts\.local\.apiKey: not set: /),
        "accounts.my account: must be a name of up to 100 letters, digits, '.', '_' and '-'",
        "poll.min: must not be larger than max, which is '5m' by default",
        'poll.mx: is not one of the fields min, max',
        expect.stringMatching(/^storage: /),
        'worker.maxMemory: must be at least 200MB',
        'proxy: must not contain a password: set HTTPS_PROXY instead',
        "prices.gpt-*-mini: must be the name of a model, with '*' only at its end",
      ]),
    );
    expect(faults.join()).not.toContain(KEY);
  });

  test.each<[what: string, accounts: object, fault: string]>([
    [
      'no default',
      { groq: { preset: 'groq' } },
      "accounts: one account must be named 'default': specs without a provider use it",
    ],
    ['no preset', { default: {} }, 'accounts.default.preset: Invalid option: expected one of'],
    [
      'a variable that is not set',
      { default: { preset: 'mistral' } },
      'accounts.default.apiKey: the variable MISTRAL_API_KEY is not set',
    ],
    [
      'a file that is not there',
      { default: { preset: 'openai', apiKey: { file: 'nowhere' } } },
      'accounts.default.apiKey: cannot read ',
    ],
    ['azure without an address', { default: { preset: 'azure' } }, 'accounts.default.endpoint: not set: such as'],
    [
      'azure with two',
      { default: { preset: 'azure', endpoint: 'https://a', baseURL: 'https://a', apiKey: { env: 'GROQ_API_KEY' } } },
      'accounts.default.baseURL: must not be set beside endpoint',
    ],
    [
      'an api-version elsewhere',
      { default: { preset: 'openai', apiVersion: '2025-01-01' } },
      "accounts.default.apiVersion: is only for the preset 'azure'",
    ],
    [
      'a secret of webhooks that is cut',
      { default: { preset: 'openai', webhookSecrets: { env: 'GROQ_API_KEY_SHORT' } } },
      'accounts.default.webhookSecrets: the webhook secret is not complete',
    ],
    [
      'a header whose variable is not set',
      { default: { preset: 'openai', headers: { 'x-a': { env: 'NOWHERE' } } } },
      'accounts.default.headers.x-a: the variable NOWHERE is not set',
    ],
  ])('accounts: %s', async (_, accounts, fault) => {
    const faults = await faultsOf({ accounts }, { ...ENVIRONMENT, GROQ_API_KEY_SHORT: 'whsec_Zx81' });
    expect(faults).toEqual([expect.stringContaining(fault)]);
  });

  test('the file and the environment', async () => {
    const faults = await faultsOf({ taskqueue: 'x' }, { LLM_JOBS_WATCH: 'always', OPENAI_API_KEY: '' });
    expect(faults.map((fault) => fault.split(':')[0])).toEqual(['taskqueue', 'LLM_JOBS_WATCH', 'OPENAI_API_KEY']);
  });

  test('accounts beside a fault elsewhere → their keys are looked for, and not that of the environment', async () => {
    const accounts = { default: { preset: 'openai', baseUrl: 'x' }, other: { preset: 'mistral' } };
    const faults = await faultsOf({ accounts, taskQueue: 1 }, {});
    expect(faults).toEqual([
      'accounts.default.baseUrl: is not a field: did you mean "baseURL"?',
      expect.stringMatching(/^taskQueue: /),
      'accounts.other.apiKey: the variable MISTRAL_API_KEY is not set',
    ]);
  });

  test('webhooks that nothing verifies', async () => {
    const faults = await faultsOf({ accounts: TWO_ACCOUNTS, webhooks: { port: 8080 } });
    expect(faults).toEqual([expect.stringMatching(/^accounts: no account has webhookSecrets/)]);
  });
});

describe('config file: found and loaded', () => {
  const TS = `
    import { readFileSync } from 'node:fs';
    enum Queue { Mine = 'by-ts' }
    const config: { taskQueue: string } = { taskQueue: Queue.Mine };
    export default config;`;

  test.each([
    ['llm-jobs.config.ts', TS, 'by-ts'],
    ['llm-jobs.config.js', 'export default { taskQueue: "by-js" };', 'by-js'],
    ['llm-jobs.config.mjs', 'export default { taskQueue: "by-mjs" };', 'by-mjs'],
    ['llm-jobs.config.json', '\uFEFF{ "taskQueue": "by-json" }', 'by-json'],
  ])('%s in the folder → found', async (name, content, taskQueue) => {
    await using config = await configFolder({ [name]: content });
    expect(await config.read(ENVIRONMENT)).toMatchObject({ file: join(config.folder, name), taskQueue });
  });

  test('named by the option or the variable → that one, the option first', async () => {
    await using config = await configFolder({
      'llm-jobs.config.json': { taskQueue: 'found' },
      'a.json': { taskQueue: 'a' },
      'b.cjs': 'module.exports = { taskQueue: "b" };',
    });
    const variable = { ...ENVIRONMENT, LLM_JOBS_CONFIG: 'a.json' };
    expect((await config.read(ENVIRONMENT)).taskQueue).toBe('found');
    expect((await config.read(variable)).taskQueue).toBe('a');
    expect((await config.read(variable, join(config.folder, 'b.cjs'))).taskQueue).toBe('b');
    expect(await config.read({ ...ENVIRONMENT, LLM_JOBS_CONFIG: 'none' })).toMatchObject({
      file: null,
      taskQueue: 'llm-jobs',
    });
  });

  test.each<[what: string, files: Record<string, string>, environment: object, fault: RegExp]>([
    [
      'two of them',
      { 'llm-jobs.config.ts': '', 'llm-jobs.config.json': '{}' },
      {},
      /^there are llm-jobs\.config\.ts and/,
    ],
    ['the named one is not there', {}, { LLM_JOBS_CONFIG: 'x.ts' }, /^there is no such file \(see LLM_JOBS_CONFIG\)$/],
    ['JSON that is cut', { 'llm-jobs.config.json': `{\n "a": ${KEY} }` }, {}, /^is no valid JSON/],
    [
      'TypeScript that is cut',
      { 'llm-jobs.config.ts': `const key = '${KEY}'; export default {` },
      {},
      /^cannot be loaded: /,
    ],
    ['no default export', { 'llm-jobs.config.mjs': 'export const a = 1;' }, {}, /^has no default export/],
    [
      'one that throws',
      { 'llm-jobs.config.mjs': `throw new Error('the key ${KEY} is wrong')` },
      {},
      /^cannot be loaded: the key/,
    ],
    ['an array', { 'llm-jobs.config.json': '[]' }, {}, /expected object/],
  ])('%s → refused, and nothing of it is quoted', async (_, files, environment, fault) => {
    await using config = await configFolder(files);
    const faults = await config.faults({ ...ENVIRONMENT, ...environment });
    expect(faults).toEqual([expect.stringMatching(fault)]);
    expect(faults.join()).not.toContain(KEY);
  });
});
