/** Forged webhooks, as fast as a server takes them. */
import { connect } from 'node:net';
import { eventOf, signed } from './webhook-requests.js';

/** Connections at the same time. */
const CONNECTIONS = 100;
/** A body that is just not too large to be read and verified. */
const LARGE = 'x'.repeat(60 * 1024);

/** A request whose signature is well-formed and wrong. Every second one is large. */
function forgedRequest(path: string, n: number): string {
  const body = n % 2 === 0 ? LARGE : eventOf(`batch_${n}`);
  const timestamp = Math.floor(Date.now() / 1_000);
  const headers = {
    host: 'localhost',
    'webhook-id': `wh_${n}`,
    'webhook-timestamp': timestamp,
    'webhook-signature': signed('another id', timestamp, ''),
    'content-length': body.length,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

/**
 * Sends forged webhooks until there were enough of them and `isOver`. Written to sockets, since a client that makes
 * requests properly would take more time than the server.
 *
 * @returns how many answers had each status
 */
export async function flood(url: string, atLeast: number, isOver: () => boolean): Promise<Record<string, number>> {
  const { hostname, port, pathname } = new URL(url);
  const answers: Record<string, number> = {};
  let sent = 0;
  const sendAll = (resolve: () => void, reject: (error: Error) => void): void => {
    const socket = connect(Number(port), hostname);
    const next = () => {
      if (sent >= atLeast && isOver()) {
        socket.end();
        resolve();
        return;
      }
      sent += 1;
      socket.write(forgedRequest(pathname, sent));
    };
    socket.setEncoding('latin1').on('data', (text: string) => {
      const [, status] = /^HTTP\/1\.1 (\d+)/.exec(text) ?? [];
      if (status === undefined) return;
      answers[status] = (answers[status] ?? 0) + 1;
      next();
    });
    socket.on('connect', next).on('error', reject);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, () => new Promise<void>(sendAll)));
  return answers;
}
