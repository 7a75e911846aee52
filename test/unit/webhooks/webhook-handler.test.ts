import { describe, expect, test } from 'vitest';
import { webhookHandler } from '../../../src/webhooks.js';
import { handlingRig, keyOf, unreachableTemporal } from '../../support/webhook-handling.js';
import { eventOf, OTHER_SECRET, SECRET, signed, webhookRequest } from '../../support/webhook-requests.js';

const NOW = () => Math.floor(Date.now() / 1_000);

describe('a request that is no webhook of the provider', () => {
  const body = eventOf('batch_1');
  const id = 'wh_1';
  const good = () => signed(id, NOW(), body);

  test.each<[string, () => Request, number, string]>([
    ['signed with another secret', () => webhookRequest({ secret: OTHER_SECRET }), 401, 'forged'],
    [
      'a signature of another body',
      () => webhookRequest({ id, headers: { 'webhook-signature': signed(id, NOW(), '{}') } }),
      401,
      'forged',
    ],
    [
      'a signature of another id',
      () => webhookRequest({ id: 'wh_2', body, headers: { 'webhook-signature': good() } }),
      401,
      'forged',
    ],
    ['an empty signature', () => webhookRequest({ headers: { 'webhook-signature': '' } }), 401, 'forged'],
    ['an hour old', () => webhookRequest({ timestamp: NOW() - 3_600 }), 400, 'stale'],
    ['an hour ahead', () => webhookRequest({ timestamp: NOW() + 3_600 }), 400, 'stale'],
    ['no id', () => webhookRequest({ headers: { 'webhook-id': '' } }), 400, 'malformed'],
    ['an id without an end', () => webhookRequest({ id: 'x'.repeat(10_000) }), 400, 'malformed'],
    ['a timestamp that is none', () => webhookRequest({ timestamp: `${NOW()}x` }), 400, 'malformed'],
    ['no headers at all', () => new Request('http://x/', { method: 'POST', body }), 400, 'malformed'],
    ['GET', () => new Request('http://x/'), 405, 'wrongMethod'],
    ['PUT', () => new Request('http://x/', { method: 'PUT', body: 'x' }), 405, 'wrongMethod'],
  ])('%s → refused, nothing is read', async (_, request, status, handling) => {
    await using rig = await handlingRig();
    const answer = await rig.handle(request());
    expect([answer.status, await answer.text()]).toEqual([status, handling]);
    expect(rig.api.requests).toEqual([]);
    expect(rig.counts[handling]).toBe(1);
    expect(rig.deliveries).toMatchObject([{ handling, jobId: null, type: null }]);
    expect(answer.headers.get('allow')).toBe(status === 405 ? 'POST' : null);
  });

  test('10,000 signatures, the last of them right → malformed, none is verified', async () => {
    await using rig = await handlingRig();
    const wrong = signed(id, 0, body);
    const header = [...Array.from({ length: 9_999 }, () => wrong), good()].join(' ');
    const answer = await rig.handle(webhookRequest({ id, body, headers: { 'webhook-signature': header } }));
    expect(answer.status).toBe(400);
  });

  test('2,000 forged, each over 60 KB → all refused, within seconds', async () => {
    await using rig = await handlingRig();
    const large = 'x'.repeat(60 * 1024);
    const forged = () => webhookRequest({ body: large, headers: { 'webhook-signature': signed('x', 0, '') } });
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(Array.from({ length: 100 }, () => rig.handle(forged())));
    }
    expect(rig.counts).toMatchObject({ forged: 2_000, woken: 0 });
    expect(rig.api.requests).toEqual([]);
  });
});

describe('a body that is not what it should be', () => {
  test.each<[string, string | Uint8Array<ArrayBuffer>]>([
    ['not JSON', 'batch.completed'],
    ['JSON after a byte order mark', `\uFEFF${eventOf('batch_1')}`],
    ['not UTF-8', Uint8Array.from([0x7b, 0xff, 0xfe, 0x7d])],
    ['null', 'null'],
    ['a list', '[]'],
    ['an event without a type', eventOf('batch_1', null)],
    ['an event without a job', JSON.stringify({ type: 'batch.completed', data: null })],
    ['a job whose id is a number', eventOf(7)],
  ])('%s, although signed → 400 malformed, nothing is read', async (_, body) => {
    await using rig = await handlingRig();
    const answer = await rig.handle(webhookRequest({ body }));
    expect([answer.status, await answer.text()]).toEqual([400, 'malformed']);
    expect(rig.api.requests).toEqual([]);
  });

  test.each([
    '../files',
    'batch_1/cancel',
    '..',
    '.',
    '',
    'a?b',
    'a#b',
    'a%2Fb',
    'a b',
    'ä',
    '\ud800',
    'x'.repeat(600),
  ])('a job id %j → malformed, and no path is asked for', async (jobId) => {
    await using rig = await handlingRig();
    expect((await rig.handle(webhookRequest({ body: eventOf(jobId) }))).status).toBe(400);
    expect(rig.api.requests).toEqual([]);
  });

  test('larger than any webhook, by its length → 413, not read', async () => {
    await using rig = await handlingRig();
    const request = webhookRequest({ body: 'x'.repeat(70_000), headers: { 'content-length': '70000' } });
    expect((await rig.handle(request)).status).toBe(413);
  });

  test('without an end, whatever its length says → 413 after 64 KiB', async () => {
    await using rig = await handlingRig();
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 1_024;
        controller.enqueue(new Uint8Array(1_024));
      },
    });
    const { headers } = webhookRequest({ headers: { 'content-length': '20' } });
    const init = { method: 'POST', headers, body: endless, duplex: 'half' } as const;
    expect((await rig.handle(new Request('http://x/', init))).status).toBe(413);
    expect(sent).toBeLessThan(70_000);
  });

  test('read by a framework before → 503, so that it is delivered again once that is mended', async () => {
    await using rig = await handlingRig();
    const request = webhookRequest();
    await request.text();
    expect((await rig.handle(request)).status).toBe(503);
    expect(String(rig.deliveries[0]?.error)).toContain('read before');
  });
});

describe('a webhook that concerns nobody here', () => {
  test.each([
    ['unknownType', eventOf('resp_1', 'response.completed'), 0],
    ['unknownType', eventOf('batch_1', 'constructor'), 0],
    // Read three times, since it may only be late.
    ['unknownJob', eventOf('batch_unknown'), 3],
    ['unknownJob', eventOf('ftjob-unknown', 'fine_tuning.job.failed'), 3],
  ])('%s → 200, counted', async (handling, body, reads) => {
    await using rig = await handlingRig();
    const answer = await rig.handle(webhookRequest({ body }));
    expect([answer.status, await answer.text()]).toEqual([200, handling]);
    expect(rig.api.requests).toHaveLength(reads);
    expect(rig.counts[handling]).toBe(1);
  });

  test.each([
    ['without a key', {}],
    ['with the key of another namespace', keyOf('theirs')],
    ['with a key that is none', { temporal_llm_job: 'x' }],
  ])('a job %s → 200 foreign, Temporal is not asked', async (_, metadata) => {
    await using rig = await handlingRig();
    const jobId = await rig.endedBatch(metadata);
    const answer = await rig.handle(webhookRequest({ body: eventOf(jobId) }));
    expect([answer.status, await answer.text()]).toEqual([200, 'foreign']);
    expect(rig.deliveries).toMatchObject([{ type: 'batch.completed', jobId, workflowId: null }]);
  });

  test('a job that is not visible at once → found when it is read again', async () => {
    await using rig = await handlingRig();
    const jobId = await rig.endedBatch();
    rig.api.faults.add({ on: 'batches.retrieve', times: 2, effect: 'notFound' });
    await rig.handle(webhookRequest({ body: eventOf(jobId) }));
    expect(rig.counts).toMatchObject({ foreign: 1, unknownJob: 0 });
  });
});

describe('a provider or a Temporal that does not answer', () => {
  test.each(['rateLimited', 'serverError', 'unauthorized', 'reset', 'htmlPage', 'emptyObject'] as const)(
    'the job: %s → 503; delivered again when that has passed → handled',
    async (effect) => {
      await using rig = await handlingRig();
      const body = eventOf(await rig.endedBatch());
      const fault = rig.api.faults.add({ on: 'batches.retrieve', effect });
      expect((await rig.handle(webhookRequest({ id: 'wh_1', body }))).status).toBe(503);
      expect(fault.hits).toBe(1);
      expect(rig.deliveries[0]?.error).toBeInstanceOf(Error);
      expect(await (await rig.handle(webhookRequest({ id: 'wh_1', body }))).text()).toBe('foreign');
    },
  );

  test('Temporal → 503 within seconds', async () => {
    await using rig = await handlingRig();
    const jobId = await rig.endedBatch(keyOf('ours'));
    const began = Date.now();
    expect((await rig.handle(webhookRequest({ body: eventOf(jobId) }))).status).toBe(503);
    expect(Date.now() - began).toBeLessThan(9_000);
  });
});

describe('a delivery that comes again', () => {
  test('after it was handled → 200 duplicate, nothing is read', async () => {
    await using rig = await handlingRig();
    const parts = { id: 'wh_1', body: eventOf(await rig.endedBatch()) };
    await rig.handle(webhookRequest(parts));
    const reads = rig.api.requests.length;
    const answer = await rig.handle(webhookRequest(parts));
    expect([answer.status, await answer.text()]).toEqual([200, 'duplicate']);
    expect(rig.api.requests).toHaveLength(reads);
  });

  test('ten times at once → read once', async () => {
    await using rig = await handlingRig();
    const parts = { id: 'wh_1', body: eventOf(await rig.endedBatch()) };
    const answers = await Promise.all(Array.from({ length: 10 }, () => rig.handle(webhookRequest(parts))));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(rig.counts).toMatchObject({ foreign: 1, duplicate: 9 });
    expect(rig.api.requests.filter(({ operation }) => operation === 'batches.retrieve')).toHaveLength(1);
  });

  test('its id under a forged body → forged, not a duplicate', async () => {
    await using rig = await handlingRig();
    const body = eventOf(await rig.endedBatch());
    await rig.handle(webhookRequest({ id: 'wh_1', body }));
    expect((await rig.handle(webhookRequest({ id: 'wh_1', body, secret: OTHER_SECRET }))).status).toBe(401);
  });
});

describe('secrets', () => {
  test('two, while one is rotated → what either of them signed is accepted', async () => {
    await using rig = await handlingRig({ secrets: [OTHER_SECRET, SECRET] });
    for (const secret of [SECRET, OTHER_SECRET]) {
      const body = eventOf('resp_1', 'response.completed');
      expect((await rig.handle(webhookRequest({ body, secret }))).status).toBe(200);
    }
  });

  test.each([
    ['none', []],
    ['an empty one', ''],
    ['the prefix alone', 'whsec_'],
    ['one of a few bytes', ['whsec_c2VjcmV0', SECRET]],
  ])('%s → refused at the start, and not repeated in the message', async (_, secrets) => {
    await using rig = await handlingRig();
    const make = () => webhookHandler({ temporal: unreachableTemporal(), openai: rig.client, secrets });
    expect(make).toThrow(TypeError);
    expect(make).not.toThrow('c2VjcmV0');
  });

  test('a tolerance of its own → used; one that is none → refused', async () => {
    await using rig = await handlingRig({ toleranceSeconds: 7_200 });
    const body = eventOf('resp_1', 'response.completed');
    expect((await rig.handle(webhookRequest({ body, timestamp: NOW() - 3_600 }))).status).toBe(200);
    await expect(handlingRig({ toleranceSeconds: Number.NaN })).rejects.toThrow('toleranceSeconds');
  });
});

test.each([
  [
    'throws',
    () => {
      throw new Error('no log');
    },
  ],
  ['rejects', () => Promise.reject(new Error('no log'))],
])('an onDelivery that %s → the answer is the same', async (_, onDelivery) => {
  await using rig = await handlingRig({ onDelivery });
  const body = eventOf('resp_1', 'response.completed');
  expect((await rig.handle(webhookRequest({ body }))).status).toBe(200);
});
