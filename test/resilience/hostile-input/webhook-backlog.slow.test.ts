/** More deliveries at once than can be handled, while Temporal or the provider does not answer: in real time. */
import { expect, test } from 'vitest';
import { hangingTemporal } from '../../support/hanging-temporal.js';
import { handlingRig, keyOf } from '../../support/webhook-handling.js';
import { eventOf, webhookRequest } from '../../support/webhook-requests.js';

/** The local API gives up after as long, as other providers do. */
const SENDER_WAITS_MS = 15_000;

test.concurrent.each(['Temporal', 'the provider'])(
  '1,000 deliveries at once, %s never answers → 503 to each before its sender gives up; soon handled again',
  async (silent) => {
    await using temporal = await hangingTemporal();
    await using rig = await handlingRig({ temporal: temporal.client });
    const body = eventOf(await rig.endedBatch(silent === 'Temporal' ? keyOf('ours') : {}));
    if (silent !== 'Temporal') rig.api.faults.add({ on: 'batches.retrieve', times: 1_000, effect: 'timeout' });
    const began = performance.now();
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => rig.handle(webhookRequest({ body }))));
    expect(performance.now() - began).toBeLessThan(SENDER_WAITS_MS);
    expect(answers.filter(({ status }) => status === 503)).toHaveLength(1_000);
    expect(rig.counts).toMatchObject({ unavailable: 1_000 });
    // No delivery whose sender was told to come again holds up those that come.
    rig.api.faults.clear();
    const foreign = eventOf(await rig.endedBatch());
    expect(await (await rig.handle(webhookRequest({ body: foreign }))).text()).toBe('foreign');
  },
);
