/** A webhook handler on a local API, and a Temporal client. */
import { Client, Connection } from '@temporalio/client';
import { JOB_KEY, jobKeyOf } from '../../src/contract/job-key.js';
import { webhookHandler, type HandledDelivery, type WebhookHandlerOptions } from '../../src/webhooks.js';
import { chatLines, createBatch, startRig, type Rig } from './local-api.js';
import { SECRET } from './webhook-requests.js';

export interface HandlingRig extends Rig {
  readonly handle: (request: Request) => Promise<Response>;
  readonly counts: Readonly<Record<string, number>>;
  readonly deliveries: HandledDelivery[];
  /** Creates a batch that has ended. */
  readonly endedBatch: (metadata?: Record<string, string>) => Promise<string>;
}

/** A client of a server that does not answer: whatever asks Temporal fails. */
export const unreachableTemporal = () =>
  new Client({ connection: Connection.lazy({ address: '127.0.0.1:1', connectTimeout: 300 }), namespace: 'ours' });

export async function handlingRig(options: Partial<WebhookHandlerOptions> = {}): Promise<HandlingRig> {
  const rig = await startRig();
  const deliveries: HandledDelivery[] = [];
  const handler = webhookHandler({
    temporal: unreachableTemporal(),
    openai: rig.client,
    secrets: SECRET,
    onDelivery: (delivery) => void deliveries.push(delivery),
    ...options,
  });
  return {
    ...rig,
    handle: handler,
    counts: handler.counts,
    deliveries,
    endedBatch: async (metadata = {}) => {
      const { id } = await createBatch(rig.client, chatLines(1), { metadata });
      rig.clock.advance(24 * 3_600_000);
      return id;
    },
  };
}

/** The metadata of a job that a run of this namespace created, in a cluster that has no such id. */
export function keyOf(namespace: string): Record<string, string> {
  return { [JOB_KEY]: jobKeyOf({ cluster: 'c', namespace, workflowId: 'w', runId: 'r' }) };
}
