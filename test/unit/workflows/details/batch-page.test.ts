import { describe, expect, test } from 'vitest';
import type { BatchProgress } from '../../../../src/contract/batch.js';
import { batchPage, type ShownBatch } from '../../../../src/workflows/details/batch-page.js';
import { describeRun, type ShownRun } from '../../../../src/workflows/details/run-page.js';

const START = 1_700_000_000;

const PROGRESS: BatchProgress = {
  phase: 'waiting',
  status: 'in_progress',
  jobId: 'batch_abc',
  lastCheckedAt: START + 600,
  watchedBy: 'llm-jobs-watch/q/default',
  cancelRequested: false,
  cancellation: null,
  attention: null,
  warnings: [],
  counts: { total: 1_000, completed: 809, failed: 3 },
  expiresAt: START + 86_400,
  waitingFor: null,
};

const BATCH: ShownBatch = {
  workflowId: 'batch-reviews-x1',
  isPart: false,
  progress: PROGRESS,
  phaseSince: START,
  inProgressAt: START,
  result: null,
  model: 'gpt-4o-mini',
  input: 'file:///data/reviews.jsonl',
  spec: { endpoint: '/v1/chat/completions', provider: 'default' },
};

const RESULT: NonNullable<ShownBatch['result']> = {
  batchId: 'batch_abc',
  model: 'gpt-4o-mini',
  requestCounts: { total: 1_000, completed: 997, failed: 3 },
  isSettled: true,
  lines: { succeeded: 997, failed: 2, unfinished: 0, missing: 1 },
  anomalies: { duplicates: 0, unknownIds: 0, unreadable: 0 },
  output: { uri: 'file:///data/batch_abc/output.jsonl', bytes: 9, sha256: '0', lines: 997 },
  errors: { uri: 'file:///data/batch_abc/errors.jsonl', bytes: 9, sha256: '0', lines: 3 },
  unreadable: null,
  usage: { inputTokens: 12_000, outputTokens: 3_400, totalTokens: 15_400, cachedTokens: 1_000, reasoningTokens: 0 },
  timestamps: { createdAt: START, inProgressAt: START, finalizingAt: null, endedAt: START + 900, expiresAt: null },
  cancellation: null,
  warnings: [],
};

function pageOf(progress: Partial<BatchProgress> = {}, batch: Partial<ShownBatch> = {}, run: Partial<ShownRun> = {}) {
  const shown = { ...BATCH, ...batch, progress: { ...PROGRESS, ...progress } };
  const { phase, cancellation, attention, warnings } = shown.progress;
  return describeRun({ phase, cancellation, attention, warnings, failure: null, ...run }, batchPage(shown));
}

describe('while it runs', () => {
  test('in progress → how far, when it should end, and what each way to stop it does to what is paid for', () => {
    expect(pageOf()).toBe(
      [
        '### Batch `batch_abc`: `in_progress`',
        '',
        '**Waiting for the provider:** it works on the requests. The run sleeps until `llm-jobs-watch/q/default` tells ' +
          'that the batch has begun or ended. Fresh counts: update `look`, or `llm-jobs status`.',
        '',
        '████████░░ 812 / 1,000 answered, 3 failed, as of 2023-11-14T22:23:20Z',
        '',
        '- **Expected end:** 2023-11-14T22:25:39Z, at the rate so far',
        '- **Expires:** 2023-11-15T22:13:20Z',
        '- **Input:** `file:///data/reviews.jsonl`',
        '- **Model:** `gpt-4o-mini`',
        '- **Endpoint:** `/v1/chat/completions`',
        '- **Provider:** `default`',
        '',
        '**What you can do**',
        '',
        '- Signal `cancel`: the provider stops the batch, and the run completes with what it has.',
        '- *Request Cancellation*: the same, but the run ends as Cancelled.',
        '- *Terminate*: only the run ends. **The batch keeps running, at your cost**: `llm-jobs orphans` finds it.',
        '- *Reset*: the run begins again and takes over this batch. Nothing is bought twice.',
        '- *Pause*: only the run stops. **The batch keeps running, at your cost**; its end is seen after *Unpause*.',
      ].join('\n'),
    );
  });

  test.each<[condition: string, progress: Partial<BatchProgress>, expected: string | RegExp]>([
    [
      'creating',
      { phase: 'creating', jobId: null, status: 'not_created' },
      /^### Batch: not created yet\n\n\*\*Creating the batch\*\*, exactly once, since 2023-11-14T22:13:20Z\. .*`WaitingForCapacity`/,
    ],
    ['polled', { watchedBy: null }, '`NothingNew` there is no error'],
    ['a status of no document', { status: 'napping' }, 'the batch is `napping`. '],
    ['a status of every object', { status: 'constructor' }, 'the batch is `constructor`. '],
    [
      'a part without room',
      { phase: 'checking', jobId: null, waitingFor: 'room for m' },
      '**Waiting** for `room for m`. Nothing is at the provider yet.',
    ],
    ['collecting', { phase: 'collecting' }, '`NotSettled` there is no error'],
    [
      'refused',
      { attention: { since: START, operation: 'read', message: 'files.content: HTTP 403' } },
      '**Needs attention:** reading the job is refused or not answered since 2023-11-14T22:13:20Z: `files.content: HTTP 403`. ',
    ],
    [
      'cancelled',
      { phase: 'cancelling', cancellation: { by: 'signal', reason: 'too slow', at: START } },
      '- **Cancel:** requested by signal at 2023-11-14T22:13:20Z: `too slow`',
    ],
  ])('%s → what it waits for, and why', (_, progress, expected) => {
    expect(pageOf(progress)).toMatch(expected);
  });

  test('no counts yet → no bar, and no time that nobody can know', () => {
    expect(pageOf({ counts: { total: 0, completed: 0, failed: 0 } })).not.toMatch(/█|░|Expected/);
    expect(pageOf({ counts: { total: 9, completed: 0, failed: 0 } })).not.toContain('Expected');
  });

  test('a rate that would end after the expiry → the expiry', () => {
    expect(pageOf({ counts: { total: 1_000, completed: 1, failed: 0 } })).toContain(
      '**Expected end:** 2023-11-15T22:13:20Z',
    );
  });

  test('a template for links → the page of the batch, with its id encoded', () => {
    const spec = { ...BATCH.spec, link: 'https://example.com/batches/{id}?q=1' };
    expect(pageOf({}, { spec })).toContain('[its page](https://example.com/batches/batch_abc?q=1)');
    expect(pageOf({ jobId: 'x)](https://evil' }, { spec })).toContain(
      '(https://example.com/batches/x%29%5D%28https%3A%2F%2Fevil?q=1)',
    );
    expect(pageOf({ jobId: '\ud800' }, { spec })).toContain('(https://example.com/batches/%EF%BF%BD?q=1)');
  });

  test('text from outside → in code spans that it cannot leave', () => {
    const page = pageOf({ warnings: ['`<img src=x>`\n# head', '  '] });
    expect(page).toContain("- `'<img src=x>' # head`");
    expect(page).toContain('- (empty)');
  });

  test('many warnings → the first, and how many more', () => {
    const page = pageOf({ warnings: Array.from({ length: 30 }, (_, n) => `warning ${n}`) });
    expect(page).toContain('- `warning 19`\n- and 10 more: see the query `progress`');
  });
});

describe('at its end', () => {
  test('completed with failures → what came out, and where', () => {
    expect(pageOf({ phase: 'done', status: 'completed' }, { result: RESULT })).toBe(
      [
        '### Batch `batch_abc`: `completed`',
        '',
        '█████████░ 997 / 1,000 succeeded, 2 failed, 1 missing',
        '',
        '- **Output:** `file:///data/batch_abc/output.jsonl` (997 lines)',
        '- **Errors:** `file:///data/batch_abc/errors.jsonl` (3 lines)',
        '- **Usage:** 12,000 input tokens (1,000 cached), 3,400 output tokens',
        '- **Answers:** `llm-jobs results batch-reviews-x1`',
        '- **Input:** `file:///data/reviews.jsonl`',
        '- **Model:** `gpt-4o-mini`',
        '- **Endpoint:** `/v1/chat/completions`',
        '- **Provider:** `default`',
      ].join('\n'),
    );
  });

  test('cancelled before it was created → says so', () => {
    expect(pageOf({ phase: 'done', jobId: null, status: 'not_created' })).toMatch(
      /^### Batch: cancelled before it was created\n/,
    );
  });
});
