import type OpenAI from 'openai';
import { expect, test } from 'vitest';
import {
  chatLine,
  chatLines,
  createBatch,
  EXACT_BATCHES,
  HOUR,
  MINUTE,
  rejection,
  resultLines,
  startRig,
} from '../../support/local-api.js';

test('batch: time passes → validating, in_progress with rising counts, finalizing, completed', async () => {
  await using rig = await startRig({ batches: EXACT_BATCHES });
  const { client, clock } = rig;
  const { id } = await createBatch(client, chatLines(10), { metadata: { job: 'one' } });
  const seen: unknown[] = [];
  for (const ms of [0, MINUTE, 5 * MINUTE, 5 * MINUTE, MINUTE]) {
    clock.advance(ms);
    const { status, request_counts: counts } = await client.batches.retrieve(id);
    seen.push([status, counts?.total, counts?.completed]);
  }
  expect(seen).toEqual([
    ['validating', 0, 0],
    ['in_progress', 10, 0],
    ['in_progress', 10, 5],
    ['finalizing', 10, 10],
    ['completed', 10, 10],
  ]);
  const batch = await client.batches.retrieve(id);
  const lines = await resultLines(client, batch.output_file_id);
  expect(lines.map((line) => line.custom_id).toSorted()).toEqual(chatLines(10).map((line) => line.custom_id));
  expect(lines.map((line) => line.custom_id)).not.toEqual(chatLines(10).map((line) => line.custom_id));
  expect(batch.error_file_id).toBeNull();
  expect(batch.metadata).toEqual({ job: 'one' });
  expect(batch.model).toBe('gpt-4o-mini');
  expect(batch.usage!.total_tokens).toBe(
    lines.reduce(
      (sum, { response }) => sum + (response!.body as unknown as OpenAI.ChatCompletion).usage!.total_tokens,
      0,
    ),
  );
});

test('batch: a jump over its whole life → completed, with the time of every transition', async () => {
  await using rig = await startRig({ batches: EXACT_BATCHES });
  const { id, created_at: created } = await createBatch(rig.client, chatLines(3));
  rig.clock.advance(20 * HOUR);
  const batch = await rig.client.batches.retrieve(id);
  expect(batch).toMatchObject({
    status: 'completed',
    in_progress_at: created + 60,
    finalizing_at: created + 660,
    completed_at: created + 720,
    expires_at: created + 24 * 3600,
  });
  expect((await rig.client.files.retrieve(batch.output_file_id!)).created_at).toBe(created + 720);
});

test('batch: slower than its window → expired, answered lines in the output and the others as batch_expired', async () => {
  await using rig = await startRig({ batches: { ...EXACT_BATCHES, inProgressMs: 48 * HOUR } });
  const { id, created_at: created } = await createBatch(rig.client, chatLines(10));
  rig.clock.advance(30 * HOUR);
  const batch = await rig.client.batches.retrieve(id);
  expect(batch).toMatchObject({ status: 'expired', expired_at: created + 24 * 3600 });
  const output = await resultLines(rig.client, batch.output_file_id);
  const errors = await resultLines(rig.client, batch.error_file_id);
  expect([output.length, errors.length]).toEqual([4, 6]);
  expect(errors.every((line) => line.response === null && line.error?.code === 'batch_expired')).toBe(true);
});

test('batch: cancelled while running → cancelling, then cancelled with the answered lines', async () => {
  await using rig = await startRig({ batches: EXACT_BATCHES });
  const { id } = await createBatch(rig.client, chatLines(10));
  rig.clock.advance(4 * MINUTE);
  expect(await rig.client.batches.cancel(id)).toMatchObject({ status: 'cancelling' });
  expect(await rig.client.batches.cancel(id)).toMatchObject({ status: 'cancelling' });
  rig.clock.advance(MINUTE);
  const batch = await rig.client.batches.retrieve(id);
  expect(batch).toMatchObject({ status: 'cancelled', request_counts: { total: 10, completed: 3, failed: 0 } });
  expect(await resultLines(rig.client, batch.output_file_id)).toHaveLength(3);
  expect((await resultLines(rig.client, batch.error_file_id)).map((line) => line.error?.code)).toEqual(
    Array.from({ length: 7 }, () => 'batch_cancelled'),
  );
  expect(await rig.client.batches.cancel(id)).toMatchObject({ status: 'cancelled' });
});

test('batch: cancelled after its end → 409', async () => {
  await using rig = await startRig({ batches: EXACT_BATCHES });
  const { id } = await createBatch(rig.client, chatLines(1));
  rig.clock.advance(HOUR);
  expect(await rejection(rig.client.batches.cancel(id))).toMatchObject({ status: 409, type: 'invalid_request_error' });
});

test('batch: a request that fails → counted, and in the error file with its reason in the response body', async () => {
  await using rig = await startRig({ batches: EXACT_BATCHES });
  const { id } = await createBatch(rig.client, [chatLine(0), chatLine(1, 'local-api:status=429')]);
  rig.clock.advance(HOUR);
  const batch = await rig.client.batches.retrieve(id);
  expect(batch.request_counts).toEqual({ total: 2, completed: 1, failed: 1 });
  expect(await resultLines(rig.client, batch.error_file_id)).toEqual([
    expect.objectContaining({
      custom_id: 'request-1',
      error: null,
      response: expect.objectContaining({
        status_code: 429,
        body: { error: expect.objectContaining({ message: 'Rate limit reached for requests.' }) },
      }),
    }),
  ]);
});
