import { describe, expect, test } from 'vitest';
import type { Environment } from '../../../src/config/load-file.js';
import { readWorkerConfig, type WorkerConfig } from '../../../src/config/worker-config.js';
import { OTHER_SECRET, SECRET } from '../../support/webhook-requests.js';

const KEY = 'sk-secret-0123456789';
/** A folder without a file. */
const folder = '/srv/app';
const read = (environment: Environment = {}) =>
  readWorkerConfig({ environment: { OPENAI_API_KEY: KEY, ...environment }, folder });

function problemOf(environment: Environment): Promise<string> {
  return readWorkerConfig({ environment, folder }).then(
    () => '',
    (error: unknown) => (error as Error).message,
  );
}

/** The configuration with its only account beside it, whose key is read. */
async function shown({ accounts, ...config }: WorkerConfig) {
  const [account] = accounts;
  if (!account || accounts.length > 1) throw new Error(`expected one account, not ${accounts.length}`);
  const { name, url, organization, project, batchLimits, webhookSecrets } = account;
  const key = await account.key.read();
  return { ...config, account: { name, url, key, organization, project, batchLimits, webhookSecrets } };
}

const DEFAULTS = {
  file: null,
  account: {
    name: 'default',
    url: 'https://api.openai.com/v1',
    key: KEY,
    organization: null,
    project: null,
    batchLimits: {},
    webhookSecrets: [],
  },
  s3: {},
  prices: {},
  proxy: undefined,
  notes: [],
  taskQueue: 'llm-jobs',
  storage: ['file:///srv/app/.llm-jobs/'],
  poll: { min: 5_000, max: 300_000 },
  watch: { net: 21_600_000 },
  maxMemory: null,
  logLevel: 'INFO',
  maxActivities: 100,
  shutdownGraceMs: 30_000,
  webhooks: null,
  metrics: null,
  tracing: null,
};
const EVERYTHING = {
  OPENAI_API_KEY: KEY,
  OPENAI_BASE_URL: 'http://localhost:8080/v1',
  OPENAI_ORG_ID: 'org-1',
  OPENAI_PROJECT_ID: 'proj-1',
  LLM_JOBS_TASK_QUEUE: 'my-queue',
  LLM_JOBS_STORAGE: 's3://bucket/prefix/,file:///data/',
  LLM_JOBS_POLL_MIN: '1s',
  LLM_JOBS_POLL_MAX: '60s',
  LLM_JOBS_WATCH: 'job',
  LLM_JOBS_WATCH_NET: '2h',
  LLM_JOBS_ON_ORPHAN: 'cancel',
  LLM_JOBS_MAX_MEMORY: '1.5 GB',
  LLM_JOBS_LOG_LEVEL: 'debug',
  LLM_JOBS_MAX_ACTIVITIES: '7',
  LLM_JOBS_CREATES_PER_HOUR: '50',
  LLM_JOBS_SHUTDOWN_GRACE: '2m',
  LLM_JOBS_WEBHOOK_PORT: '8080',
  LLM_JOBS_WEBHOOK_HOST: '0.0.0.0',
  LLM_JOBS_METRICS_PORT: '9464',
  LLM_JOBS_METRICS_HOST: '::1',
  LLM_JOBS_TRACING: 'otlp',
  OPENAI_WEBHOOK_SECRET: `${SECRET}, ${OTHER_SECRET}`,
};

test('worker config: the key alone → the defaults', async () => {
  expect(await shown(await read())).toEqual(DEFAULTS);
});

test('worker config: every variable → every one is used', async () => {
  expect(await shown(await read(EVERYTHING))).toEqual({
    file: null,
    account: {
      name: 'default',
      url: 'http://localhost:8080/v1',
      key: KEY,
      organization: 'org-1',
      project: 'proj-1',
      batchLimits: { createsPerHour: 50 },
      webhookSecrets: [SECRET, OTHER_SECRET],
    },
    s3: {},
    prices: {},
    proxy: undefined,
    notes: [],
    taskQueue: 'my-queue',
    storage: ['s3://bucket/prefix/', 'file:///data/'],
    poll: { min: 1_000, max: 60_000 },
    watch: { mode: 'job', net: 7_200_000, onOrphan: 'cancel' },
    maxMemory: 1.5 * 2 ** 30,
    logLevel: 'DEBUG',
    maxActivities: 7,
    shutdownGraceMs: 120_000,
    webhooks: { port: 8_080, host: '0.0.0.0' },
    metrics: { port: 9_464, host: '::1' },
    tracing: 'otlp',
  });
});

test.each([[''], [' '], ['\t\n'], [undefined]])(
  'worker config: every variable but the key %j → the defaults',
  async (blank) => {
    const blanks = Object.fromEntries(Object.keys(EVERYTHING).map((name) => [name, blank]));
    expect(await shown(await read({ ...blanks, OPENAI_API_KEY: KEY }))).toEqual(DEFAULTS);
  },
);

test('worker config: a newline after the key, as secrets mounted from files have it → without it', async () => {
  expect((await shown(await read({ OPENAI_API_KEY: `${KEY}\n` }))).account.key).toBe(KEY);
});

test('worker config: other variables → ignored', async () => {
  const others = { PATH: '/bin', LLM_JOBS_TEST_LOGS: 'x', TEMPORAL_ADDRESS: 'localhost:7233' };
  expect(await shown(await read(others))).toEqual(DEFAULTS);
});

test.each([[undefined], [''], ['  ']])('worker config: key %j → refused with what is missing', async (key) => {
  expect(await problemOf({ OPENAI_API_KEY: key })).toBe('OPENAI_API_KEY: not set: the worker needs an API key');
});

describe('worker config: one invalid variable → named, and its value not shown', () => {
  test.each<[name: keyof typeof EVERYTHING, value: string, says: string]>([
    ['OPENAI_BASE_URL', 'not-a-url-Zx81', 'must be an http(s) URL'],
    ['OPENAI_BASE_URL', 'ftp://host/Zx81', 'must be an http(s) URL'],
    ['OPENAI_BASE_URL', 'localhost:8080/Zx81', 'must be an http(s) URL'],
    ['LLM_JOBS_POLL_MIN', 'Zx81', 'must be a duration'],
    ['LLM_JOBS_POLL_MIN', '-81s', 'must be a duration'],
    ['LLM_JOBS_POLL_MAX', 'Zx81', 'must be a duration'],
    ['LLM_JOBS_WATCH', 'Zx81', 'Invalid option'],
    ['LLM_JOBS_ON_ORPHAN', 'Zx81', 'Invalid option'],
    ['LLM_JOBS_MAX_MEMORY', 'Zx81', 'must be a size'],
    ['LLM_JOBS_MAX_MEMORY', '81MB', 'at least 200MB'],
    ['LLM_JOBS_SHUTDOWN_GRACE', 'Zx81', 'must be a duration'],
    ['LLM_JOBS_LOG_LEVEL', 'Zx81', '"TRACE"|"DEBUG"|"INFO"|"WARN"|"ERROR"'],
    ['LLM_JOBS_MAX_ACTIVITIES', 'Zx81', 'expected number'],
    ['LLM_JOBS_MAX_ACTIVITIES', '0', '>=1'],
    ['LLM_JOBS_MAX_ACTIVITIES', '10081', '<=10000'],
    ['LLM_JOBS_MAX_ACTIVITIES', '81.5', 'expected int'],
    ['LLM_JOBS_CREATES_PER_HOUR', '0', '>=1'],
    ['LLM_JOBS_WEBHOOK_PORT', 'Zx81', 'expected number'],
    ['LLM_JOBS_WEBHOOK_PORT', '65581', '<=65535'],
    ['LLM_JOBS_METRICS_PORT', '0', '>=1'],
    ['LLM_JOBS_METRICS_HOST', 'Zx81', 'must be an IP address'],
    ['LLM_JOBS_TRACING', 'Zx81', 'expected "otlp"'],
    ['OPENAI_WEBHOOK_SECRET', 'whsec_Zx81', 'is not complete'],
    ['OPENAI_WEBHOOK_SECRET', ' , ', 'needs the signing secret'],
  ])('%s=%s', async (name, value, says) => {
    const problem = await problemOf({ ...EVERYTHING, [name]: value });
    expect(problem).toMatch(new RegExp(`^${name}: `));
    expect(problem).toContain(says);
    expect(problem).not.toMatch(/Zx81|81/i);
    expect(problem).not.toContain(KEY);
  });
});

test('worker config: everything invalid → every variable named, no value shown', async () => {
  const wrong = Object.fromEntries(Object.keys(EVERYTHING).map((name) => [name, `Zx81-${KEY}`]));
  const problem = await problemOf({ ...wrong, OPENAI_API_KEY: '' });
  const checked = ['BASE_URL', 'API_KEY', 'POLL_MIN', 'POLL_MAX', 'LOG_LEVEL', 'MAX_ACTIVITIES', 'SHUTDOWN_GRACE'];
  for (const name of checked) expect(problem).toContain(name);
  expect(problem).not.toMatch(/Zx81|sk-secret/);
});

test.each([
  [{ LLM_JOBS_POLL_MIN: '10m' }],
  [{ LLM_JOBS_POLL_MAX: '4s' }],
  [{ LLM_JOBS_POLL_MIN: '2s', LLM_JOBS_POLL_MAX: '1s' }],
])('worker config: %j → refused, since the minimum is above the maximum', async (environment) => {
  expect(await problemOf({ OPENAI_API_KEY: KEY, ...environment })).toBe(
    'LLM_JOBS_POLL_MIN: must not be larger than LLM_JOBS_POLL_MAX',
  );
});

test('worker config: a port for webhooks without a secret → refused, a secret without a port → not used', async () => {
  const port = { OPENAI_API_KEY: KEY, LLM_JOBS_WEBHOOK_PORT: '8080' };
  expect(await problemOf(port)).toMatch(/^OPENAI_WEBHOOK_SECRET: not set/);
  expect((await read({ OPENAI_WEBHOOK_SECRET: SECRET })).webhooks).toBeNull();
});

test('worker config: minimum and maximum equal → accepted', async () => {
  expect((await read({ LLM_JOBS_POLL_MIN: '1s', LLM_JOBS_POLL_MAX: '1s' })).poll).toEqual({ min: 1_000, max: 1_000 });
});

test.each<[storage: string, roots: string[]]>([
  ['results', ['file:///srv/app/results']],
  ['results/', ['file:///srv/app/results/']],
  ['./a/../b', ['file:///srv/app/b']],
  ['/data/llm', ['file:///data/llm']],
  ['/data/a b/100%/x#y?z', ['file:///data/a%20b/100%25/x%23y%3Fz']],
  ['/data/%2e%2e', ['file:///data/%252e%252e']],
  ['file:///data/', ['file:///data/']],
  ['s3://bucket/prefix', ['s3://bucket/prefix']],
  [' /one , two/ ,, s3://three/ ', ['file:///one', 'file:///srv/app/two/', 's3://three/']],
  [',', ['file:///srv/app/.llm-jobs/']],
])('worker config: storage %j → %j', async (storage, roots) => {
  expect((await read({ LLM_JOBS_STORAGE: storage })).storage).toEqual(roots);
});

test('worker config: a folder with characters that are special in URLs → encoded', async () => {
  const environment = { OPENAI_API_KEY: KEY, LLM_JOBS_STORAGE: 'out' };
  const { storage } = await readWorkerConfig({ environment, folder: '/srv/50% #1' });
  expect(storage).toEqual(['file:///srv/50%25%20%231/out']);
});
