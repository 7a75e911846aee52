import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { cacheRoot, installInto } from '../../../dev/temporal-server/cache.js';

let cache: string;
let target: string;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'llm-jobs-cache-'));
  target = join(cache, 'thing-1.0');
  onTestFinished(() => rm(cache, { recursive: true, force: true }));
});

const fillWith = (text: string) => (folder: string) => writeFile(join(folder, 'file'), text);
const works = async () => true;

test('fill fails → no target, nothing left behind', async () => {
  await expect(installInto(target, fillHalf, works)).rejects.toThrow('the network went away');
  await expect(readdir(cache)).resolves.toEqual([]);
});

test('target appears while filling, and works → it stays', async () => {
  const fill = async (folder: string) => {
    await fillWith('mine')(folder);
    await installInto(target, fillWith('theirs'), works);
  };
  await installInto(target, fill, works);
  await expect(readFile(join(target, 'file'), 'utf8')).resolves.toBe('theirs');
  await expect(readdir(cache)).resolves.toEqual(['thing-1.0']);
});

test('target is there, but broken → replaced', async () => {
  await mkdir(target);
  await writeFile(join(target, 'file'), 'broken');
  await installInto(target, fillWith('whole'), async () => false);
  await expect(readFile(join(target, 'file'), 'utf8')).resolves.toBe('whole');
  await expect(readdir(cache)).resolves.toEqual(['thing-1.0']);
});

test('leftovers of killed installs: old → removed, fresh → let alone', async () => {
  const old = `${target}.half-done-old`;
  const fresh = `${target}.half-done-fresh`;
  await mkdir(old);
  await mkdir(fresh);
  const twoHoursAgo = Date.now() / 1000 - 7200;
  await utimes(old, twoHoursAgo, twoHoursAgo);
  await installInto(target, fillWith('whole'), works);
  expect(existsSync(old)).toBe(false);
  expect(existsSync(fresh)).toBe(true);
});

test('cache root: XDG_CACHE_HOME → below it', () => {
  expect(cacheRoot({ XDG_CACHE_HOME: '/c' })).toBe(join('/c', 'temporal-llm-jobs'));
});

async function fillHalf(folder: string): Promise<never> {
  await writeFile(join(folder, 'file'), 'half');
  throw new Error('the network went away');
}
