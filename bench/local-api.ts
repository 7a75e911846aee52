/** The local API in a separate process, so that its work is not measured. Prints its URL and ends with its parent. */
import { parseArgs } from 'node:util';
import { IMMEDIATE_BATCH } from '../dev/stage/timing.js';
import { LocalApi, type BatchScenario } from '../src/testing/index.js';

const { values } = parseArgs({
  options: {
    'at-once': { type: 'boolean', default: false },
    faults: { type: 'boolean', default: false },
    'in-progress': { type: 'string', default: '400' },
  },
});
const inProgressMs = Number(values['in-progress']);
const api = await LocalApi.start({
  batches: values['at-once']
    ? IMMEDIATE_BATCH
    : { validatingMs: 100, inProgressMs, finalizingMs: 100, cancellingMs: 100, jitter: 0 },
  limits: { batchesPerHour: 100_000, enqueuedTokens: Infinity },
});

/** With `--faults`, some batches expire or fail on the token limit, and in some of them lines fail or are missing. */
const FAULTS: readonly (readonly [every: number, scenario: BatchScenario])[] = [
  [7, { timing: { inProgressMs: 8_000, expiresAfterMs: 3_000, jitter: 0 } }],
  [5, { lines: (index) => (index % 50 === 0 ? { kind: 'status', status: 429 } : undefined) }],
  [9, { lines: (index) => (index % 100 === 0 ? { kind: 'missing' } : undefined) }],
];
const LIMITED_EVERY = 11;

if (values.faults) {
  let batches = 0;
  api.scenarios.forBatches(() => (batches += 1) % LIMITED_EVERY === 0, 'failsOnTokenLimit');
  for (const [every, scenario] of FAULTS) api.scenarios.forBatches(() => batches % every === 0, scenario);
}
console.log(JSON.stringify({ url: api.url, apiKey: api.apiKey }));
process.on('disconnect', () => process.exit());
process.on('message', () => void report());

async function report(): Promise<void> {
  const batches = await api.batches();
  const ends: Record<string, number> = {};
  for (const { status } of batches) ends[status] = (ends[status] ?? 0) + 1;
  const creates = api.requests.filter(({ operation }) => operation === 'batches.create').length;
  process.send?.({ batches: batches.length, ends, creates });
}
