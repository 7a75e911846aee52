import { describe, expect, test } from 'vitest';
import { readWorkerConfig } from '../../../src/worker/config.js';
import { OTHER_SECRET, SECRET } from '../../support/webhook-requests.js';

const KEY = 'sk-secret-0123456789';
const read = (environment: Record<string, string | undefined> = {}) =>
  readWorkerConfig({ OPENAI_API_KEY: KEY, ...environment }, '/srv/app');

function problemOf(environment: Record<string, string | undefined>): string {
  try {
    readWorkerConfig(environment, '/srv/app');
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

const DEFAULTS = {
  apiKey: KEY,
  baseURL: undefined,
  organization: undefined,
  project: undefined,
  taskQueue: 'llm-jobs',
  storage: ['file:///srv/app/.llm-jobs/'],
  poll: { min: 5_000, max: 300_000 },
  watch: { net: 21_600_000 },
  maxMemory: expect.any(Number) as number,
  logLevel: 'INFO',
  maxActivities: 100,
  createsPerHour: 2_000,
  shutdownGraceMs: 30_000,
  webhooks: null,
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
  OPENAI_WEBHOOK_SECRET: `${SECRET}, ${OTHER_SECRET}`,
};

test('worker config: the key alone → the defaults', () => {
  expect(read()).toEqual(DEFAULTS);
});

test('worker config: every variable → every one is used', () => {
  expect(readWorkerConfig(EVERYTHING, '/srv/app')).toEqual({
    apiKey: KEY,
    baseURL: 'http://localhost:8080/v1',
    organization: 'org-1',
    project: 'proj-1',
    taskQueue: 'my-queue',
    storage: ['s3://bucket/prefix/', 'file:///data/'],
    poll: { min: 1_000, max: 60_000 },
    watch: { mode: 'job', net: 7_200_000, onOrphan: 'cancel' },
    maxMemory: 1.5 * 2 ** 30,
    logLevel: 'DEBUG',
    maxActivities: 7,
    createsPerHour: 50,
    shutdownGraceMs: 120_000,
    webhooks: { port: 8_080, host: '0.0.0.0', secrets: [SECRET, OTHER_SECRET] },
  });
});

test.each([[''], [' '], ['\t\n'], [undefined]])(
  'worker config: every variable but the key %j → the defaults',
  (blank) => {
    const blanks = Object.fromEntries(Object.keys(EVERYTHING).map((name) => [name, blank]));
    expect(readWorkerConfig({ ...blanks, OPENAI_API_KEY: KEY }, '/srv/app')).toEqual(DEFAULTS);
  },
);

test('worker config: a newline after the key, as secrets mounted from files have it → without it', () => {
  expect(read({ OPENAI_API_KEY: `${KEY}\n` }).apiKey).toBe(KEY);
});

test('worker config: other variables → ignored', () => {
  expect(read({ PATH: '/bin', LLM_JOBS_TEST_LOGS: 'x', TEMPORAL_ADDRESS: 'localhost:7233' })).toEqual(DEFAULTS);
});

test.each([[undefined], [''], ['  ']])('worker config: key %j → refused with what is missing', (key) => {
  expect(problemOf({ OPENAI_API_KEY: key })).toBe('OPENAI_API_KEY: not set: the worker needs an API key');
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
    ['OPENAI_WEBHOOK_SECRET', 'whsec_Zx81', 'is not complete'],
    ['OPENAI_WEBHOOK_SECRET', ' , ', 'needs the signing secret'],
  ])('%s=%s', (name, value, says) => {
    const problem = problemOf({ ...EVERYTHING, [name]: value });
    expect(problem).toMatch(new RegExp(`^${name}: `));
    expect(problem).toContain(says);
    expect(problem).not.toMatch(/Zx81|81/i);
    expect(problem).not.toContain(KEY);
  });
});

test('worker config: everything invalid → every variable named, no value shown', () => {
  const wrong = Object.fromEntries(Object.keys(EVERYTHING).map((name) => [name, `Zx81-${KEY}`]));
  const problem = problemOf({ ...wrong, OPENAI_API_KEY: '' });
  const checked = ['BASE_URL', 'API_KEY', 'POLL_MIN', 'POLL_MAX', 'LOG_LEVEL', 'MAX_ACTIVITIES', 'SHUTDOWN_GRACE'];
  for (const name of checked) expect(problem).toContain(name);
  expect(problem).not.toMatch(/Zx81|sk-secret/);
});

test.each([
  [{ LLM_JOBS_POLL_MIN: '10m' }],
  [{ LLM_JOBS_POLL_MAX: '4s' }],
  [{ LLM_JOBS_POLL_MIN: '2s', LLM_JOBS_POLL_MAX: '1s' }],
])('worker config: %j → refused, since the minimum is above the maximum', (environment) => {
  expect(problemOf({ OPENAI_API_KEY: KEY, ...environment })).toBe(
    'LLM_JOBS_POLL_MIN must not be larger than LLM_JOBS_POLL_MAX',
  );
});

test('worker config: a port for webhooks without a secret → refused, a secret without a port → not used', () => {
  expect(problemOf({ OPENAI_API_KEY: KEY, LLM_JOBS_WEBHOOK_PORT: '8080' })).toMatch(/^OPENAI_WEBHOOK_SECRET: not set/);
  expect(read({ OPENAI_WEBHOOK_SECRET: SECRET }).webhooks).toBeNull();
});

test('worker config: minimum and maximum equal → accepted', () => {
  expect(read({ LLM_JOBS_POLL_MIN: '1s', LLM_JOBS_POLL_MAX: '1s' }).poll).toEqual({ min: 1_000, max: 1_000 });
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
])('worker config: storage %j → %j', (storage, roots) => {
  expect(read({ LLM_JOBS_STORAGE: storage }).storage).toEqual(roots);
});

test('worker config: a folder with characters that are special in URLs → encoded', () => {
  const { storage } = readWorkerConfig({ OPENAI_API_KEY: KEY, LLM_JOBS_STORAGE: 'out' }, '/srv/50% #1');
  expect(storage).toEqual(['file:///srv/50%25%20%231/out']);
});
