import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI, { AzureOpenAI } from 'openai';
import { describe, expect, test } from 'vitest';
import { abandoningReads } from '../../../src/provider/guarded-fetch.js';
import { Providers } from '../../../src/provider/providers.js';
import { toApiError } from '../../../src/provider/sdk-error.js';
import { answer, API_KEY, rejection, serving } from '../../support/raw-server.js';

const guarded = (baseURL: string, options: { timeout?: number } = {}): OpenAI =>
  new Providers({ default: { client: new OpenAI({ apiKey: API_KEY, baseURL, ...options }) } }).get('default')!.client;
const azure = (baseURL: string): OpenAI =>
  new Providers({ default: { client: new AzureOpenAI({ apiKey: API_KEY, baseURL, apiVersion: 'v1' }) } }).get(
    'default',
  )!.client;
const errorOf = async (call: PromiseLike<unknown>) => toApiError(await rejection(call), [API_KEY]);

/** Records the headers of every request. */
function recording(listener: RequestListener): { seen: IncomingHttpHeaders[]; listener: RequestListener } {
  const seen: IncomingHttpHeaders[] = [];
  return {
    seen,
    listener: (request, response) => {
      seen.push(request.headers);
      listener(request, response);
    },
  };
}

const redirect =
  (status: number, location: string): RequestListener =>
  (_, response) =>
    response.writeHead(status, { location }).end();

/** Redirects everything to one address of the same origin, which tells what arrived. */
const moved: RequestListener = (request, response) => {
  if (request.url?.startsWith('/v1/moved')) {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += String(chunk)));
    request.on('end', () =>
      answer(200, { id: 'b', method: request.method, body, key: request.headers.authorization })(request, response),
    );
  } else response.writeHead(request.method === 'GET' ? 302 : 308, { location: '/v1/moved' }).end();
};

/** A reply of 450 MB, and how many of them were sent. */
function endless(): { sent: number; listener: RequestListener } {
  const state: ReturnType<typeof endless> = {
    sent: 0,
    listener: (_, response) => {
      const chunk = Buffer.alloc(1024 * 1024, 32);
      response.writeHead(200, { 'content-type': 'application/json' });
      const send = () => {
        let isFlowing = true;
        while (isFlowing && !response.destroyed && state.sent < 450) {
          state.sent += 1;
          isFlowing = response.write(chunk);
        }
        if (isFlowing) response.end('{}');
        else response.once('drain', send);
      };
      send();
    },
  };
  return state;
}

const brokenOff: RequestListener = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('{"id": ');
  setTimeout(() => response.destroy(), 20);
};

/** A body that never ends, byte by byte. */
const dripping =
  (status: number): RequestListener =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).write('{"error": {"message": "');
    const timer = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(timer));
  };

describe('a redirect to another origin', () => {
  test.each([
    ['OpenAI', guarded],
    ['Azure', azure],
  ])('%s: of a read → refused, and nothing is sent there', async (_, clientOf) => {
    const other = recording(answer(200, { id: 'batch_1', status: 'completed' }));
    await serving(other.listener, (elsewhere) =>
      serving(redirect(302, `${elsewhere}/batches/batch_1`), async (baseURL) => {
        const error = await errorOf(clientOf(baseURL).batches.retrieve('batch_1'));
        expect(error).toMatchObject({ status: 302, code: 'redirect_refused' });
        expect(error?.message).toContain('another origin');
      }),
    );
    expect(other.seen).toEqual([]);
  });

  test.each([301, 307, 308])('of a create, %d → refused, and nothing is sent there', async (status) => {
    const other = recording(answer(200, {}));
    await serving(other.listener, (elsewhere) =>
      serving(redirect(status, `${elsewhere}/batches`), async (baseURL) => {
        const create = guarded(baseURL).post('/batches', { body: { a: 1 } });
        expect(await errorOf(create)).toMatchObject({ status, code: 'redirect_refused' });
      }),
    );
    expect(other.seen).toEqual([]);
  });

  test.each([
    ['OpenAI', guarded],
    ['Azure', azure],
  ])('%s: of the content of a file → followed without a credential, with the range', async (_, clientOf) => {
    const other = recording((__, response) => response.writeHead(206).end('the rest'));
    await serving(other.listener, (elsewhere) =>
      serving(redirect(302, `${elsewhere}/signed?token=t`), async (baseURL) => {
        const content = await clientOf(baseURL).files.content('file-1', { headers: { range: 'bytes=5-' } });
        expect([content.status, await content.text()]).toEqual([206, 'the rest']);
      }),
    );
    const [headers] = other.seen;
    expect(headers).toMatchObject({ range: 'bytes=5-' });
    expect(JSON.stringify(headers)).not.toContain(API_KEY);
    expect(Object.keys(headers ?? {})).not.toEqual(expect.arrayContaining(['authorization']));
  });

  test('and back → the credentials stay away', async () => {
    const own = recording((request, response) => {
      if (request.url?.includes('/again')) response.end('content');
      else response.writeHead(302, { location: `${elsewhereUrl}/hop` }).end();
    });
    let elsewhereUrl = '';
    await serving(own.listener, (baseURL) =>
      serving(redirect(302, `${baseURL}/again`), async (elsewhere) => {
        elsewhereUrl = elsewhere;
        expect(await (await guarded(baseURL).files.content('file-1')).text()).toBe('content');
      }),
    );
    expect(own.seen.map(({ authorization }) => authorization !== undefined)).toEqual([true, false]);
  });

  test.each(['file:///etc/passwd', 'http://user:password@127.0.0.1/x', 'ht!tp://'])(
    'of a file to %s → refused',
    async (location) => {
      await serving(redirect(302, location), async (baseURL) => {
        expect(await errorOf(guarded(baseURL).files.content('file-1'))).toMatchObject({
          status: 302,
        });
      });
    },
  );
});

describe('a redirect within the origin', () => {
  test('of a read and of a create → followed with credentials and body', async () => {
    await serving(moved, async (baseURL) => {
      const client = guarded(baseURL);
      expect(await client.get('/batches')).toMatchObject({ method: 'GET', key: `Bearer ${API_KEY}` });
      expect(await client.post('/batches', { body: { a: 1 } })).toMatchObject({ method: 'POST', body: '{"a":1}' });
    });
  });

  test('without end, and one that would drop the body → refused', async () => {
    await serving(redirect(302, '/v1/loop'), async (baseURL) => {
      const client = guarded(baseURL);
      expect((await errorOf(client.get('/loop')))?.message).toContain('too many redirects');
      expect((await errorOf(client.post('/loop', { body: {} })))?.message).toContain('drop the request');
    });
  });
});

describe('a reply that is not a file', () => {
  test('larger than 64 MiB → not read to its end, and told as such', async () => {
    const huge = endless();
    await serving(huge.listener, async (baseURL) => {
      expect(await errorOf(guarded(baseURL).get('/batches'))).toMatchObject({
        status: null,
        code: 'reply_too_large',
        message: expect.stringContaining('64 MiB'),
      });
    });
    expect(huge.sent).toBeLessThan(150);
  });

  test('with an error of megabytes → its status, and the start of its words', async () => {
    await serving(answer(403, { error: { message: 'm'.repeat(5_000_000) } }), async (baseURL) => {
      expect(await errorOf(guarded(baseURL).get('/batches'))).toMatchObject({ status: 403 });
    });
  });

  test('that breaks off → no status, and a code that says so', async () => {
    await serving(brokenOff, async (baseURL) => {
      expect(await errorOf(guarded(baseURL).get('/batches'))).toMatchObject({ status: null, code: 'unreadable_reply' });
    });
  });

  test('that drips → ends with the time-out of the client', async () => {
    await serving(dripping(200), async (baseURL) => {
      const error = await errorOf(guarded(baseURL, { timeout: 200 }).get('/batches'));
      expect(error).toMatchObject({ status: null, message: expect.stringContaining('timed out') });
    });
  });

  test('that drips an error → its status counts', async () => {
    await serving(dripping(429), async (baseURL) => {
      expect(await errorOf(guarded(baseURL, { timeout: 200 }).get('/batches'))).toMatchObject({ status: 429 });
    });
  });

  test('that drips when its activity ends: a read → abandoned, and no error of the API; a create → not', async () => {
    await serving(dripping(200), async (baseURL) => {
      const activity = new AbortController();
      const client = guarded(baseURL, { timeout: 1_000 });
      const [read, create] = abandoningReads(activity.signal, () => [
        rejection(client.get('/batches')),
        rejection(client.post('/batches', { body: {} })),
      ]);
      await sleep(100);
      activity.abort();
      expect(toApiError(await read, [])).toBeNull();
      expect(toApiError(await create, [])).toMatchObject({
        status: null,
        message: expect.stringContaining('timed out'),
      });
    });
  });

  test.each<[body: unknown, message: string]>([
    [{ detail: 'Input file not found' }, '404 Input file not found'],
    [{ message: 'no batch of this id' }, '404 no batch of this id'],
    [{ errors: ['gone', 'for good'] }, '404 gone; for good'],
  ])('that is the error %j → its words', async (body, message) => {
    await serving(answer(404, body), async (baseURL) => {
      expect(await errorOf(guarded(baseURL).batches.retrieve('b'))).toMatchObject({ status: 404, message });
    });
  });

  test('without a body, and with an odd status → read as before', async () => {
    await serving(
      (_, response) => response.writeHead(204).end(),
      async (baseURL) => {
        expect(await guarded(baseURL).get('/batches')).toBeNull();
      },
    );
    await serving(
      (_, response) => response.writeHead(999).end('odd'),
      async (baseURL) => {
        expect((await errorOf(guarded(baseURL).get('/batches')))?.status).toBeGreaterThanOrEqual(500);
      },
    );
  });
});
