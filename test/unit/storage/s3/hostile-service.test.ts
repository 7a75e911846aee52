/** A service that does not keep to S3's rules, as a raw server. */
import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { S3Backend, Storage } from '../../../../src/storage/index.js';
import { serving } from '../../../support/raw-server.js';
import { all, textOf } from '../../../support/streams.js';

const ROOT = 's3://bucket/data/';
const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' };

const storageOf = (listener: RequestListener, use: (storage: Storage) => Promise<void>) =>
  serving(listener, async (url) => {
    const backend = new S3Backend({ endpoint: new URL(url).origin, credentials });
    await use(new Storage({ roots: [ROOT], backends: [backend] }));
  });

const listing = (keys: readonly string[], rest: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>bucket</Name><EncodingType>url</EncodingType>${rest}${keys
    .map((key) => `<Contents><Key>${encodeURIComponent(key)}</Key><Size>1</Size></Contents>`)
    .join('')}</ListBucketResult>`;

const xml =
  (body: string): RequestListener =>
  (_, response) =>
    response.writeHead(200, { 'content-type': 'application/xml' }).end(body);

test('list: keys with dot segments → left out, not listed as other objects', async () => {
  const keys = [
    'data/a',
    'data/x/../b',
    'data/./c',
    'data/../../secret',
    'data/..',
    'data/%2e%2e/d',
    'data//e',
    'data/f/',
  ];
  await storageOf(xml(listing(keys, '<IsTruncated>false</IsTruncated>')), async (storage) => {
    const uris = (await all(storage.list(ROOT))).map(({ uri }) => uri);
    expect(uris).toEqual([`${ROOT}a`, `${ROOT}%252e%252e/d`, `${ROOT}/e`]);
  });
});

test.each([
  ['without a token', '<IsTruncated>true</IsTruncated>'],
  ['with an empty token', '<IsTruncated>true</IsTruncated><NextContinuationToken></NextContinuationToken>'],
  ['with the same token again', '<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>'],
])('list: truncated %s → an error, not a shorter list', async (_, rest) => {
  await storageOf(xml(listing(['data/a'], rest)), async (storage) => {
    await expect(all(storage.list(ROOT))).rejects.toMatchObject({
      code: 'Io',
      retryable: true,
      message: expect.stringContaining('cut the listing short'),
    });
  });
});

test.each<[what: string, headers: Record<string, string>]>([
  ['another ETag', { etag: '"two"', 'content-range': 'bytes 5-9/10', 'content-length': '5' }],
  ['another size', { etag: '"one"', 'content-range': 'bytes 5-11/12', 'content-length': '7' }],
])('read: goes on with %s although If-Match was sent → an error, not a mixture', async (_, headers) => {
  const conditions: (string | undefined)[] = [];
  const replaced: RequestListener = (request, response) => {
    conditions.push(request.headers['if-match']);
    if (request.headers.range === undefined) {
      response.writeHead(200, { etag: '"one"', 'content-length': '10' }).write('first');
      setTimeout(() => response.destroy(), 20);
    } else {
      response.writeHead(206, headers).end('x'.repeat(Number(headers['content-length'])));
    }
  };
  await storageOf(replaced, async (storage) => {
    await expect(textOf(storage.read(`${ROOT}f`))).rejects.toMatchObject({
      code: 'Io',
      retryable: true,
      message: expect.stringContaining('was replaced while it was read'),
    });
  });
  expect(conditions).toEqual([undefined, '"one"']);
});
