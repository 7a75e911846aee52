/** What `setUpWebhook` leaves where several processes call it at once or one after the other. */
import { describe, expect, test } from 'vitest';
import type { FaultRule } from '../../../src/testing/index.js';
import { setUpWebhook } from '../../../src/webhooks.js';
import { startRig } from '../../support/local-api.js';
import { ADDRESS, endpointIdsOf, startTimedRig, verifiedTest } from '../../support/webhook-endpoints.js';
import { webhookReceiver } from '../../support/webhook-receiver.js';

const delay = (ms: number, more: Omit<FaultRule, 'effect' | 'on'> & { readonly on?: FaultRule['on'] } = {}) =>
  ({ on: 'webhooks.create', effect: { kind: 'delay', ms }, ...more }) as const satisfies FaultRule;

const EMPTY = { object: 'list', data: [], first_id: null, last_id: null, has_more: false };

/** A list in which what was created is not yet to be seen. */
function emptyList(more: { readonly skip?: number; readonly times?: number } = {}): FaultRule {
  return { on: 'webhooks.list', effect: { kind: 'mutate', change: () => EMPTY }, ...more };
}

describe.concurrent('setUpWebhook, by several processes at once', () => {
  test.each<[string, FaultRule[]]>([
    ['their requests cross', []],
    ['answers to creates are late', [delay(500), { ...delay(0), effect: { kind: 'delay', ms: 900, handled: true } }]],
    ['creates come when another process is done', [delay(2_500), delay(3_500)]],
    ['lists are late', [delay(700, { on: 'webhooks.list', skip: 5, times: 3 })]],
    ['a create is late and lists lag', [delay(2_500), emptyList({ skip: 5, times: 4 })]],
  ])('%s → one endpoint, and one process that has its secret', async (_, faults) => {
    await using receiver = await webhookReceiver();
    await using rig = await startTimedRig();
    for (const fault of faults) rig.api.faults.add(fault);
    const results = await Promise.all(Array.from({ length: 4 }, () => setUpWebhook(rig.client, receiver.url)));
    const [id, ...others] = endpointIdsOf(rig);
    expect(others).toEqual([]);
    expect(results.map((result) => result.id)).toEqual(results.map(() => id));
    const [creator, ...second] = results.filter(({ isCreated }) => isCreated);
    expect(second).toEqual([]);
    expect(results.filter(({ secret }) => secret !== null)).toEqual([creator]);
    expect(await verifiedTest(rig, receiver, id!, creator!.secret)).toMatchObject({ type: 'batch.completed' });
  });

  test('all created in the same second, some a little later → one endpoint', async () => {
    await using rig = await startRig();
    // The ids are fixed by a seed: the second is the older one by its id.
    rig.api.faults.add(delay(400, { skip: 1, times: 3 }));
    const results = await Promise.all(Array.from({ length: 4 }, () => setUpWebhook(rig.client, ADDRESS)));
    expect(endpointIdsOf(rig)).toEqual([results.find(({ secret }) => secret !== null)?.id]);
  });

  test('with other events each → one endpoint, with the events of one of them', async () => {
    await using rig = await startTimedRig();
    const wanted = [['batch.completed'], ['batch.failed']];
    const results = await Promise.all(wanted.map((events) => setUpWebhook(rig.client, ADDRESS, { events })));
    expect(results.filter(({ isCreated }) => isCreated)).toHaveLength(1);
    const [endpoint, ...others] = rig.api.webhooks.endpoints.list();
    expect(others).toEqual([]);
    expect(wanted).toContainEqual(endpoint?.eventTypes);
  });

  test('the second endpoint cannot be deleted → an error that names it', async () => {
    await using rig = await startTimedRig();
    rig.api.faults.add({ on: 'webhooks.delete', times: 9, effect: 'forbidden' });
    const results = await Promise.allSettled([1, 2].map(() => setUpWebhook(rig.client, ADDRESS)));
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []));
    expect(errors).toEqual([expect.stringContaining('repeats every event of an older one: delete it')]);
    expect(endpointIdsOf(rig).filter((id) => errors[0]!.includes(id))).toHaveLength(1);
  });
});

describe.concurrent('setUpWebhook, by one process after another', () => {
  test('the list lags behind the create of the first → the second creates no endpoint that stays', async () => {
    await using rig = await startTimedRig();
    const first = await setUpWebhook(rig.client, ADDRESS);
    rig.api.faults.add(emptyList({ times: 2 }));
    expect(await setUpWebhook(rig.client, ADDRESS)).toEqual({ ...first, secret: null, isCreated: false });
    expect(endpointIdsOf(rig)).toEqual([first.id]);
  });
});
