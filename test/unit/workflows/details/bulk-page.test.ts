import { expect, test } from 'vitest';
import type { BulkBatchProgress } from '../../../../src/contract/bulk-batch.js';
import { bulkPage, type ShownBulk } from '../../../../src/workflows/details/bulk-page.js';
import { describeRun } from '../../../../src/workflows/details/run-page.js';

const START = 1_700_000_000;
const PROGRESS: BulkBatchProgress = {
  phase: 'waiting',
  status: 'round 2',
  jobId: null,
  lastCheckedAt: null,
  watchedBy: null,
  round: 2,
  parts: { total: 6, waiting: 3, running: 2, done: 1 },
  isPaused: false,
  lines: { succeeded: 790, failed: 10, unfinished: 0, missing: 0 },
  underWay: null,
  sent: [
    { round: 1, requests: 1_000, reasons: { first: 1_000 } },
    { round: 2, requests: 200, reasons: { unfinished: 150, failed: 50 } },
  ],
  anomalies: { duplicates: 0, unknownIds: 0, unreadable: 0 },
  waitingFor: null,
  cancelRequested: false,
  cancellation: null,
  attention: null,
  warnings: [],
};
const BULK: Omit<ShownBulk, 'progress'> = {
  workflowId: 'bulk-reviews',
  phaseSince: START,
  startedAt: START,
  now: START + 800,
  requests: 1_000,
  open: [
    { name: 'r2-p1', workflowId: 'bulk-reviews/r2-p1', batchId: 'batch_9' },
    { name: 'r2-p2', workflowId: 'bulk-reviews/r2-p2', batchId: null },
  ],
  result: null,
  input: 's3://in/reviews.jsonl',
  spec: { provider: 'default', maxRounds: 3 },
};

function pageOf(progress: Partial<BulkBatchProgress> = {}, bulk: Partial<ShownBulk> = {}): string {
  const shown = { ...BULK, ...bulk, progress: { ...PROGRESS, ...progress } };
  const { phase, cancellation, attention, warnings } = shown.progress;
  return describeRun({ phase, cancellation, attention, warnings, failure: null }, bulkPage(shown));
}

test('parts run → each request counted once, the parts with their batches, and the rounds', () => {
  const page = pageOf();
  expect(page).toMatch(/^### Bulk batch: round 2 of at most 3\n\n\*\*Waiting for the batches of the parts\.\*\*/);
  expect(page).toContain(
    '\n\n████████░░ 800 / 1,000 requests answered, 10 failed\n\n- **Expected end:** 2023-11-14T22:30:00Z',
  );
  expect(page).toContain('- **Parts of this round:** 1 done, 2 running, 3 waiting, of 6\n');
  expect(page).toContain(
    [
      '**Parts that run**',
      '',
      '- `r2-p1`: batch `batch_9`, run `bulk-reviews/r2-p1`',
      '- `r2-p2`: run `bulk-reviews/r2-p2`',
      '',
      '**Rounds**',
      '',
      '- round 1: 1,000 requests (1,000 first)',
      '- round 2: 200 requests (150 unfinished, 50 failed)',
    ].join('\n'),
  );
});

test('no room → how much is taken, by whom, since when', () => {
  const waitingFor = 'room for m since 2023-11-14T22:13:20Z: 90 of 100 tokens are enqueued by other 100 %';
  expect(pageOf({ waitingFor })).toContain(`- **Waiting for:** \`${waitingFor}\``);
});

test('paused → no expected end, since nothing is sent', () => {
  expect(pageOf({ isPaused: true })).toContain('**Paused:** no batch is created until the update `resume`.');
  expect(pageOf({ isPaused: true })).not.toContain('Expected');
});

test('many parts → the first ten, and how many more', () => {
  const open = Array.from({ length: 12 }, (_, n) => ({ name: `r1-p${n}`, workflowId: `b/${n}`, batchId: null }));
  expect(pageOf({}, { open })).toContain('- `r1-p9`: run `b/9`\n- and 2 more\n');
});

test('completed → lines, files, cost and usage by model', () => {
  const usage = { inputTokens: 10, outputTokens: 5, totalTokens: 15, cachedTokens: 0, reasoningTokens: 2 };
  const result: ShownBulk['result'] = {
    status: 'completed',
    requests: 3,
    lines: { succeeded: 3, failed: 0, unfinished: 0, missing: 0 },
    anomalies: PROGRESS.anomalies,
    rounds: 1,
    sent: [],
    batches: 1,
    output: { uri: 's3://out/output.jsonl', bytes: 1, sha256: '0', lines: 3 },
    errors: null,
    unreadable: null,
    parts: null,
    usage: { 'gpt-4o': usage },
    cost: { total: 0.000125, byModel: {} },
    cancellation: null,
    warnings: [],
  };
  const page = pageOf({ phase: 'done', sent: [] }, { result });
  expect(page).toBe(
    [
      '### Bulk batch: `completed`',
      '',
      '██████████ 3 / 3 succeeded',
      '',
      '- **Output:** `s3://out/output.jsonl` (3 lines)',
      '- **Batches:** 1, in 1 round',
      '- **Cost:** 0.000125, by the prices of the spec',
      '- **Answers:** `llm-jobs results bulk-reviews`',
      '- **Input:** `s3://in/reviews.jsonl`',
      '- **Provider:** `default`',
      '',
      '**Usage**',
      '',
      '- `gpt-4o`: 10 input tokens, 5 output tokens (2 reasoning)',
    ].join('\n'),
  );
});
