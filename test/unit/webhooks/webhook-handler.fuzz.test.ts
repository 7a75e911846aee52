import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { anyJson, anyText, fuzzRuns } from '../../support/fuzz.js';
import { handlingRig, type HandlingRig } from '../../support/webhook-handling.js';
import { eventOf, OTHER_SECRET, SECRET, signed, webhookRequest } from '../../support/webhook-requests.js';

const RUNS = { numRuns: fuzzRuns(100) };

let rig: HandlingRig;
beforeAll(async () => {
  rig = await handlingRig();
});
beforeEach(() => {
  rig.deliveries.length = 0;
});
afterAll(() => rig[Symbol.asyncDispose]());

const now = () => Math.floor(Date.now() / 1_000);

/** Text that a header can carry. */
const headerText = anyText.map((text) => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '').trim());
const bytes = fc.uint8Array({ maxLength: 2_000 }).map((array) => Uint8Array.from(array));

const signature = fc.oneof(
  headerText,
  fc.base64String({ maxLength: 60 }).map((text) => `v1,${text}`),
  fc
    .integer({ min: 1, max: 40 })
    .map((count) => Array.from({ length: count }, () => signed('a', 1, '', OTHER_SECRET)).join(' ')),
);

test('webhook handler: any headers and any bytes that no secret signed → 4xx, nothing is asked of the provider', async () => {
  const headers = fc.record(
    {
      'webhook-id': headerText,
      'webhook-timestamp': fc.oneof(headerText, fc.constant(`${now()}`)),
      'webhook-signature': signature,
    },
    { requiredKeys: [] },
  );
  const request = fc.record({ headers, body: bytes, secret: fc.constant(OTHER_SECRET) });
  await fc.assert(
    fc.asyncProperty(request, async (parts) => {
      const { status } = await rig.handle(webhookRequest(parts));
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(rig.api.requests).toEqual([]);
    }),
    RUNS,
  );
});

test('webhook handler: any change of what was signed → never accepted', async () => {
  const change = fc.record({
    at: fc.nat(),
    by: fc.integer({ min: 1, max: 255 }),
    part: fc.constantFrom('id', 'body', 'timestamp'),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ at, by, part }) => {
      const timestamp = now();
      const body = Buffer.from(eventOf('resp_1', 'response.completed'));
      const header = signed('wh_1', timestamp, body, SECRET);
      if (part === 'body') body[at % body.length]! ^= by;
      const request = webhookRequest({
        id: part === 'id' ? `wh_1${by}` : 'wh_1',
        timestamp: part === 'timestamp' ? timestamp + (by % 100) + 1 : timestamp,
        body: Uint8Array.from(body),
        headers: { 'webhook-signature': header },
      });
      expect([400, 401]).toContain((await rig.handle(request)).status);
    }),
    RUNS,
  );
});

test('webhook handler: any signed JSON as event → 2xx or 4xx, no other path than that of a job is asked for', async () => {
  const event = fc.oneof(
    anyJson,
    fc.record({
      type: fc.constantFrom('batch.completed', 'fine_tuning.job.failed', 'x'),
      data: fc.oneof(anyJson, fc.record({ id: fc.oneof(anyText, anyJson) })),
    }),
  );
  await fc.assert(
    fc.asyncProperty(event, async (value) => {
      rig.api.faults.add({ on: '*', effect: { kind: 'status', status: 500 } });
      const { status } = await rig.handle(webhookRequest({ body: JSON.stringify(value) ?? '' }));
      // Only an id that may be one is read, which this API answers with an error.
      expect([200, 400, 503]).toContain(status);
      rig.api.faults.clear();
      for (const { path } of rig.api.requests) expect(path).toMatch(/^\/v1\/(batches|fine_tuning\/jobs)\/[\w.:=~-]+$/);
    }),
    RUNS,
  );
});
