/** What `setUpWebhook` does where an answer of the provider is lost. */
import { APIConnectionError } from 'openai';
import { describe, expect, test } from 'vitest';
import { rotateWebhookSecret, setUpWebhook, WebhookSecretLostError } from '../../../src/webhooks.js';
import { rejection, startRig } from '../../support/local-api.js';
import { ADDRESS, endpointIdsOf, startTimedRig, verifiedTest } from '../../support/webhook-endpoints.js';
import { webhookReceiver } from '../../support/webhook-receiver.js';

describe.concurrent('setUpWebhook, when the answer to its create is lost', () => {
  test.each(['lostAnswer', 'cutBody', 'emptyObject'] as const)(
    '%s → not sent again; an error names the endpoint, which then gets a new secret; the next call finds it',
    async (effect) => {
      await using receiver = await webhookReceiver();
      await using rig = await startTimedRig();
      rig.api.faults.add({ on: 'webhooks.create', effect });
      const error: unknown = await rejection(setUpWebhook(rig.client, receiver.url));
      const ids = endpointIdsOf(rig);
      expect(error).toBeInstanceOf(WebhookSecretLostError);
      expect([(error as WebhookSecretLostError).endpointId]).toEqual(ids);
      expect(String(error)).toContain('rotateWebhookSecret');
      const { id, secret } = await rotateWebhookSecret(rig.client, ids[0]!, { keepOld: false });
      expect(await verifiedTest(rig, receiver, id, secret)).toMatchObject({ type: 'batch.completed' });
      expect(await setUpWebhook(rig.client, receiver.url)).toMatchObject({ id, isCreated: false, secret: null });
    },
  );

  test('nothing was created → the error of the client; the next call creates one', async () => {
    await using rig = await startTimedRig();
    rig.api.faults.add({ on: 'webhooks.create', effect: 'reset' });
    const error: unknown = await rejection(setUpWebhook(rig.client, ADDRESS));
    expect(error).toBeInstanceOf(APIConnectionError);
    expect(await setUpWebhook(rig.client, ADDRESS)).toMatchObject({ isCreated: true });
    expect(endpointIdsOf(rig)).toHaveLength(1);
  });

  test('refused, while another process creates it → the refusal; the endpoint of the other is left alone', async () => {
    await using rig = await startTimedRig();
    rig.api.faults.add({ on: 'webhooks.create', effect: 'forbidden' });
    const results = await Promise.allSettled([1, 2].map(() => setUpWebhook(rig.client, ADDRESS)));
    expect(results.toSorted((a, b) => (a.status < b.status ? -1 : 1))).toMatchObject([
      { value: { isCreated: true } },
      { reason: { status: 403 } },
    ]);
    expect(endpointIdsOf(rig)).toHaveLength(1);
  });

  // The older of the two endpoints, then the younger one: ids decide, since they are of the same second.
  test.each([0, 1])('while another process creates the endpoint, too (%i) → one endpoint is left', async (skip) => {
    await using rig = await startRig();
    rig.api.faults.add({ on: 'webhooks.create', skip, effect: 'lostAnswer' });
    const results = await Promise.allSettled([1, 2].map(() => setUpWebhook(rig.client, ADDRESS)));
    const ids = endpointIdsOf(rig);
    expect(ids).toHaveLength(1);
    const errors: unknown[] = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(errors).toMatchObject([{ name: 'WebhookSecretLostError', endpointId: ids[0] }]);
    const others = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.id] : []));
    expect(others).toEqual(ids);
  });

  test('the list after the create cannot be read → the secret is returned all the same', async () => {
    await using receiver = await webhookReceiver();
    await using rig = await startTimedRig();
    rig.api.faults.add({ on: 'webhooks.list', skip: 1, times: 9, effect: 'unauthorized' });
    const { id, secret } = await setUpWebhook(rig.client, receiver.url);
    expect(await verifiedTest(rig, receiver, id, secret)).toMatchObject({ type: 'batch.completed' });
  });
});
