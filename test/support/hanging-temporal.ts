/** Servers in the place of Temporal that take connections and never answer. */
import { createServer as createHttp2Server } from 'node:http2';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Client, Connection } from '@temporalio/client';

export interface HangingTemporal extends AsyncDisposable {
  /** Of the namespace `ours`. */
  readonly client: Client;
  /** Calls that came. */
  readonly calls: () => number;
  /** Those of them that nobody has ended. */
  readonly openCalls: () => number;
}

/** @param speaks whether it answers as an HTTP/2 server does, and leaves only the calls without an answer */
export async function hangingTemporal({ speaks = false } = {}): Promise<HangingTemporal> {
  let calls = 0;
  let ended = 0;
  const sockets = new Set<Socket>();
  const server: Server = speaks ? createHttp2Server() : createServer((socket) => socket.resume());
  server.on('stream', (stream: { on: (event: 'close' | 'error', listener: () => void) => void }) => {
    calls += 1;
    stream.on('close', () => (ended += 1));
    stream.on('error', () => undefined);
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const connection = Connection.lazy({ address: `127.0.0.1:${(server.address() as AddressInfo).port}` });
  return {
    client: new Client({ connection, namespace: 'ours' }),
    calls: () => calls,
    openCalls: () => calls - ended,
    async [Symbol.asyncDispose]() {
      await connection.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
