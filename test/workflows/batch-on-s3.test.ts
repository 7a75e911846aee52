/**
 * Batches whose input and results are on S3: time-skipping server, local API, and a worker that knows S3 by its
 * environment alone.
 */
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { readResults } from '../../src/client.js';
import { Storage } from '../../src/storage/index.js';
import { startS3Server, type S3Server } from '../support/local-s3.js';
import { chatRequests, jsonl } from '../support/samples.js';
import { timeSkippingStage } from '../support/stage.js';
import { all, chunks, textOf } from '../support/streams.js';

const started = await startS3Server();
const skipped = 'unavailable' in started ? started.unavailable : null;
const server = started as S3Server;

describe.skipIf(skipped !== null)(`lifecycles on s3${skipped === null ? '' : ` (${skipped})`}`, () => {
  let root: string;
  const stage = timeSkippingStage({
    api: { batches: {} },
    roots: async () => {
      vi.stubEnv('AWS_ENDPOINT_URL_S3', server.endpoint);
      vi.stubEnv('AWS_ACCESS_KEY_ID', server.credentials.accessKeyId);
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', server.credentials.secretAccessKey);
      vi.stubEnv('AWS_SESSION_TOKEN', undefined);
      root = `s3://${await server.bucket()}/jobs/`;
      return [root];
    },
  });
  afterAll(async () => {
    await server.stop();
    vi.unstubAllEnvs();
  });

  it('input and results: by s3:// URIs → every request answered, results and manifest below the root', async () => {
    const storage = new Storage({ roots: [root] });
    const input = storage.resolve(root, 'inputs', 'in put.jsonl');
    await storage.write(input, chunks(jsonl(chatRequests(20))));

    const outputUri = storage.resolve(root, 'results');
    const run = await stage.jobs.startBatch({ input: { uri: input }, endpoint: '/v1/chat/completions', outputUri });
    const result = await run.result();

    expect(result).toMatchObject({ status: 'completed', lines: { succeeded: 20, failed: 0, missing: 0 } });
    const place = `${outputUri}/${result.batchId}/`;
    expect(result.output?.uri).toBe(`${place}output.jsonl`);
    const lines = (await textOf(storage.read(`${place}output.jsonl`))).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { custom_id: string }).custom_id).toSorted()).toEqual(
      chatRequests(20)
        .map(({ custom_id }) => custom_id)
        .toSorted(),
    );
    const names = (await all(storage.list(place))).map(({ uri }) => uri.slice(place.length));
    expect(names).toEqual(['manifest.json', 'output.jsonl']);
    expect(await server.pendingUploads(new URL(root).host)).toEqual([]);
  });

  it('a bulk: all files below a prefix, one of them gzip → one output in their order', async () => {
    const storage = new Storage({ roots: [root] });
    const requests = chatRequests(9);
    await storage.write(storage.resolve(root, 'bulk', 'a.jsonl'), chunks(jsonl(requests.slice(0, 4))));
    await storage.write(storage.resolve(root, 'bulk', 'b.jsonl.gz'), chunks(gzipSync(jsonl(requests.slice(4)))));

    const bulk = await stage.jobs.startBulkBatch({
      input: { prefix: `${root}bulk/` },
      split: { requests: 5 },
      maxParallel: 1,
      gzip: true,
    });
    const result = await bulk.result();
    expect(result).toMatchObject({ status: 'completed', batches: 2, lines: { succeeded: 9 }, output: { lines: 9 } });
    const answered: string[] = [];
    for await (const { customId } of readResults(result, { storage })) answered.push(customId);
    expect(answered).toEqual(requests.map(({ custom_id }) => custom_id));
    expect(await server.pendingUploads(new URL(root).host)).toEqual([]);
  });

  it('input: below another bucket → StorageRefused, nothing created', async () => {
    const run = await stage.jobs.startBatch({
      input: { uri: 's3://other/in.jsonl' },
      endpoint: '/v1/chat/completions',
    });
    await expect(run.result()).rejects.toMatchObject({ cause: { type: 'StorageRefused' } });
    expect(await stage.api.batches()).toHaveLength(3);
  });
});
