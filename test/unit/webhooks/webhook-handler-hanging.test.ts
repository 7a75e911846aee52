/** A Temporal that takes connections and never answers: the sender of a webhook must not have to give up. */
import { expect, test } from 'vitest';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { hangingTemporal } from '../../support/hanging-temporal.js';
import { handlingRig, keyOf } from '../../support/webhook-handling.js';
import { eventOf, webhookRequest } from '../../support/webhook-requests.js';

test.concurrent.each([
  ['not even as a server of HTTP/2', false],
  ['no call', true],
])('a Temporal that answers %s → 503 within seconds, and no call is left open', async (_, speaks) => {
  await using temporal = await hangingTemporal({ speaks });
  await using rig = await handlingRig({ temporal: temporal.client });
  const body = eventOf(await rig.endedBatch(keyOf('ours')));
  const began = performance.now();
  expect((await rig.handle(webhookRequest({ body }))).status).toBe(503);
  expect(performance.now() - began).toBeLessThan(12_000);
  expect(rig.deliveries).toMatchObject([{ handling: 'unavailable', type: 'batch.completed' }]);
  expect(temporal.calls() > 0).toBe(speaks);
  await waitFor(() => temporal.openCalls() === 0, 'the calls to end');
});
