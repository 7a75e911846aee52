/** Real dev servers are started, used and stopped. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { expect, inject, onTestFinished, test } from 'vitest';
import {
  startDevServer,
  startTimeSkippingServer,
  TemporalServerNotFound,
  type DevServerOptions,
} from '../../src/temporal-server/index.js';
import { machine, type Machine } from './support.js';

/** A machine with the real `temporal` on its PATH. */
async function machineWithTemporal(): Promise<Machine> {
  const it = await machine();
  const shared = inject('devServer');
  if ('problem' in shared) throw new Error(shared.problem);
  it.env.PATH = dirname(shared.value.cliPath);
  return it;
}

function sharedServer(): { address: string } {
  const shared = inject('devServer');
  if ('problem' in shared) throw new Error(shared.problem);
  return shared.value;
}

async function start(it: Machine, options: DevServerOptions = {}) {
  const server = await startDevServer({ ...it.options, ui: false, ...options });
  onTestFinished(() => server.stop());
  return server;
}

function answers(address: string): Promise<boolean> {
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function eventually(condition: () => Promise<boolean>, limitMs = 15_000): Promise<boolean> {
  const deadline = Date.now() + limitMs;
  while (Date.now() < deadline) {
    if (await condition()) return true;
    await sleep(100);
  }
  return false;
}

test('start with a UI, then stop → both answer on loopback, then neither does', async () => {
  const it = await machineWithTemporal();
  const server = await start(it, { ui: true });
  expect(server).toMatchObject({ source: 'path', namespace: 'default', env: { TEMPORAL_ADDRESS: server.address } });
  expect(server.address).toMatch(/^127\.0\.0\.1:\d+$/);
  const page = await fetch(server.uiUrl ?? '');
  expect(page.status).toBe(200);
  await page.text();

  await server.stop();
  await expect(answers(server.address)).resolves.toBe(false);
  await expect(fetch(server.uiUrl ?? '')).rejects.toThrow('fetch failed');
  await server.stop();
});

test('namespace, search attributes and file → used by the server', async () => {
  const it = await machineWithTemporal();
  const dbFilename = join(it.env.HOME ?? '', 'temporal.db');
  const server = await start(it, { namespace: 'other', searchAttributes: { LlmJobKind: 'Keyword' }, dbFilename });
  const connection = await Connection.connect({ address: server.address });
  onTestFinished(() => connection.close());
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'other' });
  expect(customAttributes).toHaveProperty('LlmJobKind');
  expect(existsSync(dbFilename)).toBe(true);
});

test('port in use → an error that names the port', async () => {
  const it = await machineWithTemporal();
  const port = Number(sharedServer().address.split(':')[1]);
  await expect(startDevServer({ ...it.options, port })).rejects.toThrow(`port ${port} on 127.0.0.1 is not free`);
});

test('argument that the server rejects → an error with its message', async () => {
  const it = await machineWithTemporal();
  await expect(startDevServer({ ...it.options, extraArgs: ['--no-such-flag'] })).rejects.toThrow('no-such-flag');
});

/** A Node process that starts a dev server, prints its address and runs `then`. */
async function ownerOf(
  it: Machine,
  then: string,
): Promise<{ owner: ChildProcess; address: string; ended: Promise<unknown> }> {
  const module = new URL('../../src/temporal-server/index.ts', import.meta.url).href;
  const code = `const { startDevServer } = await import(${JSON.stringify(module)});
    const server = await startDevServer({ ui: false, log: () => {} });
    console.log(server.address);
    ${then}`;
  const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    env: it.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void owner.kill('SIGKILL'));
  const ended = new Promise((resolve) => {
    owner.once('exit', resolve);
  });
  const address = await new Promise<string>((resolve, reject) => {
    owner.stdout?.once('data', (text: Buffer) => resolve(text.toString().trim()));
    owner.once('exit', () => reject(new Error('the owner ended before it printed an address')));
  });
  return { owner, address, ended };
}

test.each(['SIGKILL', 'SIGTERM'] as const)('owner killed by %s → the server ends too', async (signal) => {
  const { owner, address } = await ownerOf(await machineWithTemporal(), 'setInterval(() => {}, 1000);');
  await expect(answers(address)).resolves.toBe(true);
  owner.kill(signal);
  await expect(eventually(async () => !(await answers(address)))).resolves.toBe(true);
});

test('owner has nothing left to do → ends without stop(), and so does the server', async () => {
  const { address, ended } = await ownerOf(await machineWithTemporal(), '');
  await ended;
  await expect(eventually(async () => !(await answers(address)))).resolves.toBe(true);
});

test('TEMPORAL_ADDRESS → that server, which stop() does not end', async () => {
  const it = await machine();
  const { address } = sharedServer();
  it.env.TEMPORAL_ADDRESS = address;
  const server = await start(it);
  expect(server).toMatchObject({ address, source: 'address', uiUrl: null });
  expect(it.lines).toEqual([`Temporal server: ${address} (from TEMPORAL_ADDRESS)`]);
  await server.stop();
  await expect(answers(address)).resolves.toBe(true);
});

test('profile with an address → that server', async () => {
  const it = await machine();
  const { address } = sharedServer();
  await writeFile(it.env.TEMPORAL_CONFIG_FILE ?? '', `[profile.default]\naddress = "${address}"\n`);
  await expect(start(it)).resolves.toMatchObject({ address, source: 'address' });
  expect(it.lines).toEqual([`Temporal server: ${address} (from profile "default" of the Temporal configuration)`]);
});

test('TEMPORAL_ADDRESS with `existing: false` → a new server', async () => {
  const it = await machineWithTemporal();
  it.env.TEMPORAL_ADDRESS = sharedServer().address;
  const server = await start(it, { existing: false });
  expect(server.source).toBe('path');
  expect(server.address).not.toBe(it.env.TEMPORAL_ADDRESS);
});

test('TEMPORAL_ADDRESS without a server → an error; no other server is started', async () => {
  const it = await machineWithTemporal();
  it.env.TEMPORAL_ADDRESS = '127.0.0.1:9';
  const error: unknown = await startDevServer(it.options).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(TemporalServerNotFound);
  expect((error as Error).message).toContain('TEMPORAL_ADDRESS: 127.0.0.1:9 does not answer');
});

test('source pinned to address without an address → an error', async () => {
  const it = await machineWithTemporal();
  it.env.LLM_JOBS_TEMPORAL_SOURCE = 'address';
  await expect(startDevServer(it.options)).rejects.toThrow('neither TEMPORAL_ADDRESS nor a profile names a server');
});

test('time-skipping server: a day of sleep → skipped', async () => {
  const it = await machine();
  const shared = inject('timeSkippingServer');
  if ('problem' in shared) throw new Error(shared.problem);
  it.env.PATH = dirname(shared.value.path);
  const env = await startTimeSkippingServer(it.options);
  onTestFinished(() => env.teardown());
  const before = await env.currentTimeMs();
  await env.sleep('1 day');
  expect((await env.currentTimeMs()) - before).toBeGreaterThanOrEqual(86_400_000);
});
