import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

export interface CuttingProxy {
  readonly url: string;
  /** How many connections were cut. */
  cuts(): number;
  /** From now on, or no longer: nobody answers. */
  setDown(down: boolean): void;
  close(): Promise<void>;
}

/**
 * Passes connections on to a server, and cuts each after as many bytes of answers as `limit` says; the first connection
 * has number 0.
 */
export async function cuttingProxy(target: string, limit: (connection: number) => number): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let connections = 0;
  let cuts = 0;
  let isDown = false;
  const server = createServer((socket) => {
    if (isDown) {
      socket.destroy();
      return;
    }
    let left = limit(connections++);
    const upstream = connect(Number(port), hostname);
    for (const end of [socket, upstream]) {
      open.add(end);
      end.on('error', () => undefined);
      end.once('close', () => {
        open.delete(end);
        socket.destroy();
        upstream.destroy();
      });
    }
    socket.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      if (chunk.length <= left) {
        left -= chunk.length;
        if (!socket.write(chunk)) upstream.pause();
        return;
      }
      cuts += 1;
      upstream.pause();
      socket.end(chunk.subarray(0, left), () => socket.destroy());
    });
    socket.on('drain', () => upstream.resume());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: () => cuts,
    setDown: (down) => {
      isDown = down;
      if (down) for (const socket of open) socket.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
