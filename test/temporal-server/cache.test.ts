import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { cacheRoot, installInto } from '../../src/temporal-server/cache.js';

let cache: string;
let target: string;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'llm-jobs-cache-'));
  target = join(cache, 'thing-1.0');
  onTestFinished(() => rm(cache, { recursive: true, force: true }));
});

const fillWith = (text: string) => (folder: string) => writeFile(join(folder, 'file'), text);
const isUsable = async () => true;

test('fill fails → no target and no leftovers', async () => {
  await expect(installInto(target, fillHalf, isUsable)).rejects.toThrow('the network went away');
  await expect(readdir(cache)).resolves.toEqual([]);
});

test('target appears during the install and is usable → kept', async () => {
  const fill = async (folder: string) => {
    await fillWith('ours')(folder);
    await installInto(target, fillWith('theirs'), isUsable);
  };
  await installInto(target, fill, isUsable);
  await expect(readFile(join(target, 'file'), 'utf8')).resolves.toBe('theirs');
  await expect(readdir(cache)).resolves.toEqual(['thing-1.0']);
});

test('target exists but is broken → replaced', async () => {
  await mkdir(target);
  await writeFile(join(target, 'file'), 'broken');
  await installInto(target, fillWith('whole'), async () => false);
  await expect(readFile(join(target, 'file'), 'utf8')).resolves.toBe('whole');
  await expect(readdir(cache)).resolves.toEqual(['thing-1.0']);
});

test('leftovers of killed installs: old → removed, recent → kept', async () => {
  const old = `${target}.incomplete-old`;
  const recent = `${target}.incomplete-recent`;
  await mkdir(old);
  await mkdir(recent);
  const twoHoursAgo = Date.now() / 1000 - 7200;
  await utimes(old, twoHoursAgo, twoHoursAgo);
  await installInto(target, fillWith('whole'), isUsable);
  expect(existsSync(old)).toBe(false);
  expect(existsSync(recent)).toBe(true);
});

test('cache root: XDG_CACHE_HOME → a folder below it', () => {
  expect(cacheRoot({ XDG_CACHE_HOME: '/c' })).toBe(join('/c', 'temporal-llm-jobs'));
});

async function fillHalf(folder: string): Promise<never> {
  await writeFile(join(folder, 'file'), 'half');
  throw new Error('the network went away');
}
