/** Real dev servers, started, used and gone. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { Connection } from '@temporalio/client';
import { expect, inject, onTestFinished, test } from 'vitest';
import {
  startDevServer,
  startTimeSkippingServer,
  TemporalServerNotFound,
  type DevServerOptions,
} from '../../../dev/temporal-server/index.js';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { machine, type Machine } from './support.js';

/** A machine that has the real `temporal` on its PATH. */
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

test('start with a UI, stop → both answer on loopback, then nothing does', async () => {
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

test('namespace, search attributes and file → known to the server, and kept by it', async () => {
  const it = await machineWithTemporal();
  const dbFilename = join(it.env.HOME ?? '', 'temporal.db');
  const server = await start(it, { namespace: 'mine', searchAttributes: { LlmJobKind: 'Keyword' }, dbFilename });
  const connection = await Connection.connect({ address: server.address });
  onTestFinished(() => connection.close());
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'mine' });
  expect(customAttributes).toHaveProperty('LlmJobKind');
  expect(existsSync(dbFilename)).toBe(true);
});

test('port in use → an error that names the port', async () => {
  const it = await machineWithTemporal();
  const port = Number(sharedServer().address.split(':')[1]);
  await expect(startDevServer({ ...it.options, port })).rejects.toThrow(`Port ${port} on 127.0.0.1 can't be used`);
});

test('argument that the server refuses → an error with its words', async () => {
  const it = await machineWithTemporal();
  await expect(startDevServer({ ...it.options, extraArgs: ['--no-such-flag'] })).rejects.toThrow('no-such-flag');
});

/** A Node process that starts a dev server, says where and does `then`. */
async function ownerOf(
  it: Machine,
  then: string,
): Promise<{ owner: ChildProcess; address: string; over: Promise<unknown> }> {
  const module = new URL('../../../dev/temporal-server/index.ts', import.meta.url).href;
  const code = `const { startDevServer } = await import(${JSON.stringify(module)});
    const server = await startDevServer({ ui: false, log: () => {} });
    console.log(server.address);
    ${then}`;
  const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    env: it.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void owner.kill('SIGKILL'));
  const over = new Promise((resolve) => {
    owner.once('exit', resolve);
  });
  const address = await new Promise<string>((resolve, reject) => {
    owner.stdout?.once('data', (text: Buffer) => resolve(text.toString().trim()));
    owner.once('exit', () => reject(new Error('the owner ended too early')));
  });
  return { owner, address, over };
}

test.each(['SIGKILL', 'SIGTERM'] as const)('owner killed by %s → the server ends too', async (signal) => {
  const { owner, address } = await ownerOf(await machineWithTemporal(), 'setInterval(() => {}, 1000);');
  await expect(answers(address)).resolves.toBe(true);
  owner.kill(signal);
  await waitFor(async () => !(await answers(address)), 'the server to end');
  await expect(answers(address)).resolves.toBe(false);
});

test('owner has nothing left to do → it ends without stop(), and the server with it', async () => {
  const { address, over } = await ownerOf(await machineWithTemporal(), '');
  await over;
  await waitFor(async () => !(await answers(address)), 'the server to end');
  await expect(answers(address)).resolves.toBe(false);
});

test('TEMPORAL_ADDRESS → that server, which stop() leaves alone', async () => {
  const it = await machine();
  const { address } = sharedServer();
  it.env.TEMPORAL_ADDRESS = address;
  const server = await start(it);
  expect(server).toMatchObject({ address, source: 'address', uiUrl: null });
  expect(it.lines).toEqual([`Temporal server: ${address}, named by TEMPORAL_ADDRESS`]);
  await server.stop();
  await expect(answers(address)).resolves.toBe(true);
});

test('profile with an address → that server', async () => {
  const it = await machine();
  const { address } = sharedServer();
  await writeFile(it.env.TEMPORAL_CONFIG_FILE ?? '', `[profile.default]\naddress = "${address}"\n`);
  await expect(start(it)).resolves.toMatchObject({ address, source: 'address' });
  expect(it.lines).toEqual([`Temporal server: ${address}, named by profile "default" of the Temporal configuration`]);
});

test('TEMPORAL_ADDRESS, but `existing: false` → a server of its own', async () => {
  const it = await machineWithTemporal();
  it.env.TEMPORAL_ADDRESS = sharedServer().address;
  const server = await start(it, { existing: false });
  expect(server.source).toBe('path');
  expect(server.address).not.toBe(it.env.TEMPORAL_ADDRESS);
});

test('TEMPORAL_ADDRESS where nobody answers → an error, and no other server in its place', async () => {
  const it = await machineWithTemporal();
  it.env.TEMPORAL_ADDRESS = '127.0.0.1:9';
  const error: unknown = await startDevServer(it.options).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(TemporalServerNotFound);
  expect((error as Error).message).toContain('TEMPORAL_ADDRESS: 127.0.0.1:9 does not answer');
});

test('source pinned to address, none named → an error', async () => {
  const it = await machineWithTemporal();
  it.env.LLM_JOBS_TEMPORAL_SOURCE = 'address';
  await expect(startDevServer(it.options)).rejects.toThrow('neither TEMPORAL_ADDRESS nor a profile names a server');
});

test('time-skipping server: a day of sleep → no time at all', async () => {
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
