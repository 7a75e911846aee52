/** Bulk batches from input to result: split, rounds, capacity, cancel, merge, and requests from code. */
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readResults } from '../../../src/client.js';
import type { BatchRequest, BulkBatchSpec } from '../../../src/index.js';
import { devServerStage } from '../../support/stage.js';
import { failureOf, idsOf, readLines, totalOf } from '../../support/runs.js';
import { chatRequest, chatRequests, jsonl } from '../../support/samples.js';

const stage = devServerStage({ providers: { limited: {} } });

async function run(spec: Omit<BulkBatchSpec, 'input'> & { input?: BulkBatchSpec['input'] }, requests: unknown[]) {
  const uri = await stage.write(requests);
  const bulk = await stage.jobs.startBulkBatch({ input: { uri }, settleFor: 0, ...spec });
  return bulk.result();
}

describe('runBulkBatch', () => {
  test('95 requests, 10 a part → ten batches, one output in input order', async () => {
    const requests = chatRequests(95);
    const before = (await stage.api.batches()).length;
    const result = await run({ split: { requests: 10 }, maxParallel: 4 }, requests);
    expect(result).toMatchObject({ status: 'completed', requests: 95, rounds: 1, batches: 10, errors: null });
    expect(idsOf(await readLines(result.output?.uri))).toEqual(idsOf(requests));
    expect((await stage.api.batches()).length - before).toBe(10);
    expect(result.usage['gpt-4o-mini']?.totalTokens).toBeGreaterThan(0);
  });

  test('mixed models and endpoints, gzip, several files → separate batches, one merged output', async () => {
    const chat = [
      ...chatRequests(6),
      ...Array.from({ length: 5 }, (_, i) => chatRequest(100 + i, { model: 'gpt-4o' })),
    ];
    const embeddings = Array.from({ length: 4 }, (_, i) => ({
      custom_id: `e-${i}`,
      method: 'POST',
      url: '/v1/embeddings',
      body: { model: 'text-embedding-3-small', input: `text ${i}` },
    }));
    const first = await stage.write(gzipSync(jsonl(chat)), 'mixed.jsonl.gz');
    const second = await stage.write(embeddings);
    const prices = { 'gpt-4o': { inputPerMillion: 1, outputPerMillion: 4 } };
    const bulk = await stage.jobs.startBulkBatch({ input: { uris: [first, second] }, prices });
    const result = await bulk.result();
    expect(result).toMatchObject({ requests: 15, batches: 3, lines: { succeeded: 15 } });
    expect(idsOf(await readLines(result.output?.uri))).toEqual(idsOf([...chat, ...embeddings]));
    expect(Object.keys(result.usage).length).toBe(3);
    expect(result.cost?.total).toBeGreaterThan(0);
  });

  test('a batch expires, lines fail and go missing → a further round for what was not answered, and for nothing else', async () => {
    stage.api.scenarios.forNextBatch({ timing: { inProgressMs: 60_000, expiresAfterMs: 1_500, jitter: 0 } });
    stage.api.scenarios.forNextBatch('missingLines');
    stage.api.scenarios.forNextBatch('someLinesFail');
    const requests = chatRequests(60);
    const result = await run({ split: { requests: 20 }, maxParallel: 1 }, requests);
    expect(result.status).toBe('completed');
    expect(result.rounds).toBe(2);
    // The lines that did not come were answered, and paid for.
    const { missing } = result.lines;
    expect(missing).toBeGreaterThan(0);
    expect(result.lines).toEqual({ succeeded: 60 - missing, failed: 0, unfinished: 0, missing });
    const lost = idsOf(await readLines(result.errors?.uri));
    expect(idsOf(await readLines(result.output?.uri))).toEqual(idsOf(requests).filter((id) => !lost.includes(id)));
    const [first, second] = result.sent;
    expect(first).toEqual({ round: 1, requests: 60, reasons: { first: 60 } });
    expect(second?.reasons).toEqual({ unfinished: expect.any(Number) as number, failed: expect.any(Number) as number });
    const asked = (await stage.api.batches())
      .slice(0, result.batches)
      .reduce((total, batch) => total + (batch.request_counts?.total ?? 0), 0);
    expect(asked).toBeLessThan(120);
  });

  test('lines that always fail → in the errors file with the reason of their last round', async () => {
    const requests = [
      ...chatRequests(5),
      chatRequest(5, { user: 'local-api:status=500' }),
      chatRequest(6, { user: 'local-api:status=400' }),
    ];
    const result = await run({ maxRounds: 2 }, requests);
    expect(result.rounds).toBe(2);
    expect(result.lines).toMatchObject({ succeeded: 5, failed: 2 });
    expect(new Set(idsOf(await readLines(result.errors?.uri)))).toEqual(new Set(['request-5', 'request-6']));
    expect(totalOf(result)).toBe(7);
  });

  test('a schema: answers that do not fit → retried, and then in the errors file; the others succeed', async () => {
    const schema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };
    const asked = { type: 'json_schema', json_schema: { name: 'person', schema } };
    const fitting = [0, 1].map((index) => chatRequest(index, { response_format: asked }));
    const result = await run({ schema, maxRounds: 2 }, [...fitting, chatRequest(2)]);
    expect(result).toMatchObject({ rounds: 2, lines: { succeeded: 2, failed: 1 } });
    expect(idsOf(await readLines(result.output?.uri))).toEqual(idsOf(fitting));
    expect(await readLines(result.errors?.uri)).toMatchObject([
      { custom_id: 'request-2', round: 2, outcome: 'mismatched' },
    ]);
  });

  test.each([{ type: 'thing' }, { $async: true, type: 'object' }])(
    'an invalid schema: %j → InvalidInput, nothing uploaded',
    async (schema) => {
      const uploads = stage.api.requests.filter(({ operation }) => operation === 'files.create').length;
      const input = { uri: await stage.write(chatRequests(3)) };
      const failure = await failureOf(await stage.jobs.startBulkBatch({ input, schema }));
      expect(failure.type).toBe('InvalidInput');
      expect(failure.message).toContain('schema');
      expect(stage.api.requests.filter(({ operation }) => operation === 'files.create').length).toBe(uploads);
    },
  );

  test('token limit → waits for capacity and submits again', async () => {
    stage.api.scenarios.forNextBatch('failsOnTokenLimit');
    const bulk = await stage.jobs.startBulkBatch({
      input: { uri: await stage.write(chatRequests(4)) },
      provider: 'limited',
    });
    await expect
      .poll(async () => (await bulk.progress()).waitingFor, { timeout: 120_000 })
      .toContain('token_limit_exceeded');
    await bulk.cancel();
    expect((await bulk.result()).status).toBe('cancelled');
  });

  test('a budget of tokens → parts of one model run one after the other', async () => {
    const requests = chatRequests(12).map((request) => ({
      ...request,
      body: { ...request.body, model: 'gpt-4.1-mini' },
    }));
    const result = await run({ split: { requests: 4 }, enqueuedTokens: { 'gpt-4.1-mini': 150 } }, requests);
    expect(result.lines.succeeded).toBe(12);
    const batches = (await stage.api.batches()).slice(0, result.batches);
    const spans = batches.map(({ created_at, completed_at }) => [created_at, completed_at ?? 0] as const);
    for (const [start] of spans) expect(spans.filter(([from, to]) => from < start && start < to).length).toBe(0);
  });

  test('cancel → all children are cancelled, finished results are merged', async () => {
    stage.api.scenarios.forBatches(() => true, { timing: { inProgressMs: 600_000, jitter: 0 } });
    const bulk = await stage.jobs.startBulkBatch({
      input: { uri: await stage.write(chatRequests(30)) },
      split: { requests: 10 },
      maxParallel: 2,
    });
    await expect.poll(async () => (await bulk.progress()).parts.running, { timeout: 120_000 }).toBe(2);
    await expect.poll(async () => (await stage.api.batches())[0]?.status, { timeout: 120_000 }).toBe('in_progress');
    await bulk.cancel('enough');
    const result = await bulk.result();
    stage.api.scenarios.clear();
    expect(result).toMatchObject({ status: 'cancelled', cancellation: { by: 'signal', reason: 'enough' } });
    expect(totalOf(result)).toBe(30);
    for (const batch of await stage.api.batches()) {
      expect(['cancelled', 'completed', 'failed', 'expired']).toContain(batch.status);
    }
  });

  test('a duplicate custom_id over two files → InvalidInput with both lines, nothing uploaded', async () => {
    const uploads = stage.api.requests.filter(({ operation }) => operation === 'files.create').length;
    const uris = [await stage.write(chatRequests(3)), await stage.write([chatRequest(9), chatRequest(1)])];
    const failure = await failureOf(await stage.jobs.startBulkBatch({ input: { uris } }));
    expect(failure.type).toBe('InvalidInput');
    expect(failure.message).toContain('request-1');
    expect(stage.api.requests.filter(({ operation }) => operation === 'files.create').length).toBe(uploads);
  });

  test('from code: a stream of requests, results typed by a schema', async () => {
    const requests = Readable.from(chatRequests(25)) as AsyncIterable<BatchRequest>;
    const bulk = await stage.jobs.startBulkBatchFrom(requests, { storage: stage.storage, split: { requests: 10 } });
    const result = await bulk.result();
    const schema = z.object({ choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1) });
    const answers: string[] = [];
    for await (const answer of readResults(result, { storage: stage.storage, schema })) {
      if (answer.ok) answers.push(answer.value.choices[0]?.message.content ?? '');
    }
    expect(answers.filter(Boolean)).toHaveLength(25);
  });
});
