/** An HTTP server that takes webhooks and keeps them as they arrived. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface ReceivedWebhook {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface WebhookReceiver extends AsyncDisposable {
  readonly url: string;
  readonly received: ReceivedWebhook[];
  /** The statuses of the next answers; 200 after them. */
  readonly answers: number[];
}

export async function webhookReceiver(): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  const answers: number[] = [];
  const server = createServer((request, response) => {
    const take = async () => {
      received.push({ headers: request.headers, body: await text(request) });
      response.writeHead(answers.shift() ?? 200, { location: '/elsewhere' }).end();
    };
    void take();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`,
    received,
    answers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The job that a webhook is about. */
export const jobIdOf = ({ body }: ReceivedWebhook): string => (JSON.parse(body) as { data: { id: string } }).data.id;

/** The type of the event that a webhook tells. */
export const typeOf = ({ body }: ReceivedWebhook): string => (JSON.parse(body) as { type: string }).type;
