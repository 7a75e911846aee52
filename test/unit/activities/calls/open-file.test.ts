/** Downloads of result files from a real server whose connections break. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { openResultFile } from '../../../../src/activities/calls/open-file.js';
import { ProviderApi } from '../../../../src/activities/calls/provider-api.js';
import { Providers } from '../../../../src/provider/providers.js';
import { API_KEY, serving } from '../../../support/raw-server.js';
import { jsonl, success } from '../../../support/result-lines.js';
import { textOf } from '../../../support/streams.js';

const CONTENT = jsonl(success('a'), success('b'), success('c'));
/** Of the same length. */
const OTHER_CONTENT = jsonl(success('x'), success('y'), success('z'));
const { length } = CONTENT;
const HALF = Math.floor(length / 2);

type Headers = Record<string, string | number>;
type Reply = (request: IncomingMessage, response: ServerResponse) => void;

/** Sends half of the content and breaks off. */
const half =
  (headers: Headers = {}): Reply =>
  (_, response) => {
    response.writeHead(200, { 'content-length': length, ...headers });
    response.write(CONTENT.slice(0, HALF), () => response.destroy());
  };

/** The same without a content length, ended as if that were all. */
const silentHalf =
  (headers: Headers = {}): Reply =>
  (_, response) => {
    response.writeHead(200, headers);
    response.end(CONTENT.slice(0, HALF));
  };

/** Answers a request for a range. */
const rest =
  (headers: Headers = {}, content = CONTENT): Reply =>
  ({ headers: { range = '' } }, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(range)![1]);
    const contentRange = `bytes ${start}-${content.length - 1}/${content.length}`;
    response.writeHead(206, { 'content-range': contentRange, ...headers });
    response.end(content.slice(start));
  };

const whole =
  (headers: Headers = {}, content = CONTENT): Reply =>
  (_, response) => {
    response.writeHead(200, headers);
    response.end(content);
  };

const status =
  (code: number): Reply =>
  (_, response) =>
    response.writeHead(code, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}');

interface Download {
  readonly text?: string;
  readonly error?: string;
  readonly lacks: string[];
  /** For the content. */
  readonly requests: IncomingMessage[];
}

/** Downloads a file whose content is answered by the replies in turn, the last one repeatedly. */
function download(replies: readonly Reply[], bytesOfObject: number | null = length): Promise<Download> {
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  const requests: IncomingMessage[] = [];
  return serving(
    (request, response) => {
      if (!request.url!.endsWith('/content')) {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ id: 'file-1', bytes: bytesOfObject }));
        return;
      }
      requests.push(request);
      replies[Math.min(requests.length, replies.length) - 1]!(request, response);
    },
    (baseURL) =>
      environment.run(async (): Promise<Download> => {
        const client = new OpenAI({ apiKey: API_KEY, baseURL });
        const api = new ProviderApi(new Providers({ default: { client } }).get('default')!, () => []);
        const lacks: string[] = [];
        try {
          const content = await openResultFile(api, 'file-1', 'jsonl', ({ reason }) => lacks.push(reason));
          return { text: await textOf(content), lacks, requests };
        } catch (error) {
          return { error: (error as Error).message, lacks, requests };
        }
      }),
  );
}

describe('a download that broke off', () => {
  it.each<[string, readonly Reply[]]>([
    ['the same tag', [half({ etag: '"1"' }), rest({ etag: '"1"' })]],
    ['the same tag, marked as weak by a proxy', [half({ etag: '"1"' }), rest({ etag: 'W/"1"' })]],
    [
      'the same date',
      [
        half({ 'last-modified': 'Wed, 25 Nov 2026 12:00:00 GMT' }),
        rest({ 'last-modified': 'Wed, 25 Nov 2026 12:00:00 GMT' }),
      ],
    ],
    ['the same size', [half(), rest()]],
    ['the whole file, of the same size', [half(), whole({ 'content-length': length })]],
    ['the size that the file object names', [silentHalf(), rest()]],
  ])('%s → resumed', async (_, replies) => {
    expect(await download(replies)).toMatchObject({ text: CONTENT, lacks: [] });
  });

  it.each<[string, readonly Reply[]]>([
    ['another tag', [half({ etag: '"1"' }), rest({ etag: '"2"' }, OTHER_CONTENT)]],
    ['another date', [half({ 'last-modified': 'one' }), rest({ 'last-modified': 'two' }, OTHER_CONTENT)]],
    ['another size', [half(), rest({}, `${OTHER_CONTENT}{}\n`)]],
    [
      'the whole of another version',
      [half({ etag: '"1"' }), whole({ etag: '"2"', 'content-length': length }, OTHER_CONTENT)],
    ],
    ['nothing that tells the version', [silentHalf(), whole({}, OTHER_CONTENT)]],
    ['a page', [half(), whole({ 'content-type': 'text/html', 'content-length': length })]],
  ])('%s → nothing is joined, the next attempt starts over', async (_, replies) => {
    const { text, error } = await download(replies);
    expect(text).toBeUndefined();
    expect(error).toContain('file-1 changed during the download');
  });

  const date = 'Wed, 25 Nov 2026 12:00:00 GMT';
  it.each<[string, Headers, string | undefined]>([
    ['a strong tag', { etag: '"1"', 'last-modified': date }, '"1"'],
    ['a weak tag and a date', { etag: 'W/"1"', 'last-modified': date }, date],
    ['a weak tag', { etag: 'W/"1"' }, undefined],
    ['neither', {}, undefined],
  ])('%s → what the request for the rest names in if-range', async (_, headers, expected) => {
    const { requests } = await download([half(headers), rest(headers)]);
    expect(requests[1]!.headers['if-range']).toBe(expected);
  });

  it('416 for the rest → what there is, and a lack', async () => {
    const { text, lacks } = await download([silentHalf(), status(416)]);
    expect(text).toBe(CONTENT.slice(0, HALF));
    expect(lacks).toEqual([`file-1 ended after ${HALF} of ${length} bytes`]);
  });

  it('a size of the file object that is too large, with replies that say the same → resumed', async () => {
    const tag = { etag: '"1"' };
    const { text, lacks } = await download([silentHalf(tag), rest(tag), status(416)], length + 1_000);
    expect(text).toBe(CONTENT);
    expect(lacks).toEqual([`file-1 ended after ${length} of ${length + 1_000} bytes`]);
  });
});

describe('a file that is not there', () => {
  it.each([400, 403, 404, 410])('%i → nothing, and a lack', async (code) => {
    const { text, lacks } = await download([status(code)]);
    expect({ text, lacks: lacks.length }).toEqual({ text: '', lacks: 1 });
    expect(lacks[0]).toContain(`HTTP ${code}`);
  });

  it.each<[string, Reply]>([
    ['a page', whole({ 'content-type': 'text/html; charset=utf-8' }, '<html></html>')],
    ['a page that is not called one', whole({}, '<html></html>')],
    ['an error with a 200', whole({ 'content-type': 'application/json' }, '{"error":{"message":"not yet"}}')],
  ])('%s → nothing, and a lack', async (_, reply) => {
    const { text, lacks } = await download([reply], null);
    expect({ text, lacks: lacks.length }).toEqual({ text: '', lacks: 1 });
  });

  it.each([401, 429, 500])('%i → thrown', async (code) => {
    expect((await download([status(code)])).error).toContain(`HTTP ${code}`);
  });
});
