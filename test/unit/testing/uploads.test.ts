import { createHash } from 'node:crypto';
import type OpenAI from 'openai';
import { toFile } from 'openai';
import { expect, test } from 'vitest';
import { HOUR, rejection, startRig } from '../../support/local-api.js';

const TEXT = '{"a":1}\n{"b":2}\n';

const start = (client: OpenAI, bytes = TEXT.length): Promise<OpenAI.Upload> =>
  client.uploads.create({ bytes, filename: 'big.jsonl', mime_type: 'application/jsonl', purpose: 'batch' });

async function addPart(client: OpenAI, id: string, text: string): Promise<string> {
  return (await client.uploads.parts.create(id, { data: await toFile(Buffer.from(text), 'part') })).id;
}

test('upload: two parts in the order of complete → one file with all bytes', async () => {
  await using rig = await startRig();
  const { client } = rig;
  const { id } = await start(client);
  const second = await addPart(client, id, TEXT.slice(8));
  const first = await addPart(client, id, TEXT.slice(0, 8));
  const md5 = createHash('md5').update(TEXT).digest('hex');
  const wrong = client.uploads.complete(id, { part_ids: [first, second], md5: 'f'.repeat(32) });
  expect(await rejection(wrong)).toMatchObject({ status: 400, param: 'md5' });
  const upload = await client.uploads.complete(id, { part_ids: [first, second], md5 });
  expect(upload).toMatchObject({ status: 'completed', file: { filename: 'big.jsonl', purpose: 'batch' } });
  expect(await (await client.files.content(upload.file!.id)).text()).toBe(TEXT);
  expect(await rejection(client.uploads.complete(id, { part_ids: [first, second] }))).toMatchObject({ status: 400 });
});

test('upload: parts whose bytes differ from what was promised → 400, and no file', async () => {
  await using rig = await startRig();
  const { id } = await start(rig.client, 5);
  const part = await addPart(rig.client, id, TEXT);
  expect(await rejection(rig.client.uploads.complete(id, { part_ids: [part] }))).toMatchObject({ status: 400 });
  expect(await rejection(rig.client.uploads.complete(id, { part_ids: ['part_none'] }))).toMatchObject({ status: 404 });
  expect(await rig.api.files()).toEqual([]);
});

test('upload: cancelled or an hour old → refuses further parts', async () => {
  await using rig = await startRig();
  const cancelled = await start(rig.client);
  expect(await rig.client.uploads.cancel(cancelled.id)).toMatchObject({ status: 'cancelled' });
  const expired = await start(rig.client);
  rig.clock.advance(HOUR);
  for (const { id } of [cancelled, expired]) {
    expect(await rejection(addPart(rig.client, id, 'x'))).toMatchObject({ status: 400 });
  }
});

test('upload: a lost answer to complete → the file exists and is found by its name', async () => {
  await using rig = await startRig();
  const { id } = await start(rig.client);
  const part = await addPart(rig.client, id, TEXT);
  rig.api.faults.add({ on: 'uploads.complete', effect: 'lostAnswer' });
  await rejection(rig.client.uploads.complete(id, { part_ids: [part] }));
  expect((await rig.client.files.list()).data).toMatchObject([{ filename: 'big.jsonl', bytes: TEXT.length }]);
});
