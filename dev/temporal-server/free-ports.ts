import { createServer, type AddressInfo, type Server } from 'node:net';

/** Ports that nobody listens on. Another process may still take one before its user does: whoever uses them has to be ready to try again. */
export async function freePorts(count: number, ip: string): Promise<number[]> {
  // All are held at once, so that they differ.
  const servers = await Promise.all(Array.from({ length: count }, () => listen(ip)));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(close));
  return ports;
}

/** @throws if somebody listens on the port: a server started on it might be taken for the one that is there already */
export async function assertFree(port: number, ip: string): Promise<void> {
  const server = await listen(ip, port).catch((error: Error) => {
    throw new Error(`Port ${port} on ${ip} can't be used: ${error.message}`);
  });
  await close(server);
}

function listen(ip: string, port = 0): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(port, ip, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
