/** The input of a bulk batch is what round 1 read: nothing that happens to its files changes what answers mean. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import type { BulkBatchRun } from '../../../src/client.js';
import type { FailureDetails } from '../../../src/contract/failures.js';
import type { PartOutcome } from '../../../src/contract/part.js';
import { failureOf, idsOf, readLines } from '../../support/runs.js';
import { chatRequest, chatRequests, jsonl } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';

const stage = devServerStage();

/** Waits until batches were created, which is after the input was read. */
async function untilCreated(count = 1): Promise<void> {
  await vi.waitFor(() => expect(stage.calls('batches.create').length).toBeGreaterThanOrEqual(count), {
    timeout: 60_000,
    interval: 20,
  });
}

async function partsOf(details: FailureDetails['InputChanged']): Promise<PartOutcome[]> {
  return (await readLines(details.parts?.uri)) as unknown as PartOutcome[];
}

/** The answers of all batches in the files that `InputChanged` names. */
async function answersKept(run: BulkBatchRun, uri: string): Promise<unknown[]> {
  const failure = await failureOf(run);
  expect(failure.type).toBe('InputChanged');
  const [details] = failure.details as [FailureDetails['InputChanged']];
  expect(details.uri).toBe(uri);
  const outputs = await Promise.all((await partsOf(details)).map(({ output }) => readLines(output ?? undefined)));
  return outputs.flat();
}

const swapped = (count: number) =>
  chatRequests(count).map((request, index) => ({ ...request, body: chatRequest(count - 1 - index).body }));

describe('a file of the input', () => {
  test('gets other contents of the same size between two rounds → InputChanged, nothing bought for them', async () => {
    stage.api.scenarios.forNextBatch('someLinesFail');
    const uri = await stage.write(chatRequests(10));
    const run = await stage.jobs.startBulkBatch({ input: { uri } });
    await untilCreated();
    await writeFile(fileURLToPath(uri), jsonl(chatRequests(10).toReversed()));
    const before = stage.calls('batches.create').length;
    const failure = await failureOf(run);
    expect(failure.type).toBe('InputChanged');
    const [details] = failure.details as [FailureDetails['InputChanged']];
    const [part] = await partsOf(details);
    expect(await readLines(part?.output ?? undefined)).toHaveLength(part?.lines.succeeded ?? -1);
    expect(stage.calls('batches.create')).toHaveLength(before);
  });

  test('gets the same ids in front of other prompts before the merge → InputChanged, every answer kept', async () => {
    const uri = await stage.write(chatRequests(10));
    const run = await stage.jobs.startBulkBatch({ input: { uri }, split: { requests: 5 } });
    await untilCreated(2);
    await writeFile(fileURLToPath(uri), jsonl(swapped(10)));
    expect(await answersKept(run, uri)).toHaveLength(10);
  });

  test('is compressed, and is replaced before the merge → InputChanged', async () => {
    const uri = await stage.write(gzipSync(jsonl(chatRequests(4))), 'replaced.jsonl.gz');
    const run = await stage.jobs.startBulkBatch({ input: { uri } });
    await untilCreated();
    await writeFile(fileURLToPath(uri), gzipSync(jsonl(chatRequests(4)), { level: 1 }));
    expect(await answersKept(run, uri)).toHaveLength(4);
  });

  test('one of several, is deleted before the merge → InputChanged that names it', async () => {
    const uris = [await stage.write([chatRequest(1)]), await stage.write([chatRequest(2)])];
    const run = await stage.jobs.startBulkBatch({ input: { uris } });
    await untilCreated();
    await rm(fileURLToPath(uris[1]!));
    expect(await answersKept(run, uris[1]!)).toHaveLength(2);
  });

  test('is compressed, with bytes behind its end, and stays → completed', async () => {
    const content = Buffer.concat([gzipSync(jsonl(chatRequests(3))), Buffer.alloc(300_000)]);
    const uri = await stage.write(content, 'padded.jsonl.gz');
    const result = await (await stage.jobs.startBulkBatch({ input: { uri } })).result();
    expect(result.lines.succeeded).toBe(3);
  });

  test('has names and requests that a part of the bulk batch has → the list of the files stays in the folder', async () => {
    const uri = await stage.write(chatRequests(2));
    const result = await (await stage.jobs.startBulkBatch({ input: { uri } })).result();
    const [file] = await readLines(new URL('input-files.jsonl', result.parts?.uri).href);
    expect(file).toMatchObject({ uri, bytes: (await readFile(fileURLToPath(uri))).length });
  });
});

/** A folder with one file of two requests. */
async function folderOf(name: string): Promise<{ path: string; uri: string }> {
  const path = join(stage.folder, name);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'a.jsonl'), jsonl(chatRequests(2)));
  return { path, uri: pathToFileURL(`${path}/`).href };
}
const resultsUri = () => `${stage.root}results/`;

describe('a prefix', () => {
  test('gets a further file while the first round runs → it is not part of this run', async () => {
    stage.api.scenarios.forNextBatch('someLinesFail');
    const { path, uri } = await folderOf('growing');
    const run = await stage.jobs.startBulkBatch({ input: { prefix: uri }, outputUri: resultsUri() });
    await untilCreated();
    await writeFile(join(path, 'b.jsonl'), jsonl([chatRequest(77)]));
    const result = await run.result();
    expect(result.requests).toBe(2);
    expect(idsOf(await readLines(result.output?.uri))).toEqual(idsOf(chatRequests(2)));
  });

  test.each([
    ['with an output URI below it', 'above/', 'above/results/'],
    ['that is the beginning of the output folder’s name', 'abo', 'above-results/'],
    ['that contains the default root', '', undefined],
  ])('%s → InvalidInput, nothing read', async (_, prefix, output) => {
    await folderOf('above');
    const run = await stage.jobs.startBulkBatch({
      input: { prefix: `${stage.root}${prefix}` },
      ...(output !== undefined && { outputUri: `${stage.root}${output}` }),
    });
    const failure = await failureOf(run);
    expect(failure.type).toBe('InvalidInput');
    expect(failure.message).toContain('outputUri');
  });

  test('next to the output folder → accepted', async () => {
    const { uri } = await folderOf('beside');
    const run = await stage.jobs.startBulkBatch({ input: { prefix: uri }, outputUri: `${stage.root}besides/` });
    expect((await run.result()).lines.succeeded).toBe(2);
  });

  test.runIf(process.platform === 'linux')(
    'with names that no URI can contain → refused with their names',
    async () => {
      const { path, uri } = await folderOf('names');
      await writeFile(join(path, 'back\\slash.jsonl'), jsonl([chatRequest(5)]));
      await writeFile(Buffer.concat([Buffer.from(`${path}/latin-`), Buffer.from([0xe9]), Buffer.from('.jsonl')]), 'x');
      const failure = await failureOf(
        await stage.jobs.startBulkBatch({ input: { prefix: uri }, outputUri: resultsUri() }),
      );
      expect(failure.type).toBe('InvalidInput');
      const [{ faults, total }] = failure.details as [FailureDetails['InvalidInput']];
      expect(total).toBe(2);
      expect(JSON.stringify(faults)).toContain('slash.jsonl');
      expect(JSON.stringify(faults)).toContain('latin-');
    },
  );
});

describe('long workflow ids', () => {
  test.each([
    ['of 200 characters', 'x'.repeat(200)],
    ['of 1,000 characters', 'y'.repeat(1_000)],
    ['of two-byte characters', 'ü'.repeat(480)],
  ])('%s → each part has a file, a key and a run of its own', async (_, workflowId) => {
    const before = (await stage.openai.batches.list({ limit: 100 })).data.length;
    const uri = await stage.write(chatRequests(6));
    const run = await stage.jobs.startBulkBatch(
      { input: { uri }, split: { requests: 2 }, cleanup: { input: false } },
      { workflowId },
    );
    const result = await run.result();
    expect(result).toMatchObject({ batches: 3, lines: { succeeded: 6 } });
    expect(idsOf(await readLines(result.output?.uri))).toEqual(idsOf(chatRequests(6)));
    const batches = (await stage.openai.batches.list({ limit: 100 })).data;
    const created = batches.slice(0, batches.length - before);
    expect(created).toHaveLength(3);
    const keys = created.map(({ metadata }) => JSON.stringify(metadata));
    const files = await Promise.all(created.map(({ input_file_id: id }) => stage.openai.files.retrieve(id)));
    expect(new Set(keys).size).toBe(3);
    expect(new Set(files.map(({ filename }) => filename.replace(/\.[0-9a-f]{32}\.jsonl$/, ''))).size).toBe(3);
  });
});

describe('startBulkBatchFrom', () => {
  test('with the id of a running bulk batch → refused, its input is as it was, nothing is left of the second', async () => {
    stage.api.scenarios.forNextBatch({ timing: { inProgressMs: 3_000, jitter: 0 } });
    const { storage } = stage;
    const outputUri = `${stage.root}from-code/`;
    const options = { workflowId: `from-code-${Date.now()}` };
    const run = await stage.jobs.startBulkBatchFrom(chatRequests(3), { storage, outputUri }, options);
    const folder = join(stage.folder, 'from-code', 'inputs');
    const [name] = await readdir(folder);
    const content = await readFile(join(folder, name!), 'utf8');
    await expect(
      stage.jobs.startBulkBatchFrom(
        [chatRequest(9)],
        { storage, outputUri },
        { ...options, workflowIdConflictPolicy: 'FAIL' },
      ),
    ).rejects.toThrow('already started');
    expect(await readdir(folder)).toEqual([name]);
    expect(await readFile(join(folder, name!), 'utf8')).toBe(content);
    expect((await run.result()).lines.succeeded).toBe(3);
  });
});
