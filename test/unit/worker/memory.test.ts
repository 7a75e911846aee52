import { describe, expect, test } from 'vitest';
import { availableMemory, cachedRuns } from '../../../src/worker/memory.js';
import { sizeSchema } from '../../../src/config/size.js';

const MB = 2 ** 20;

describe('memory of the worker', () => {
  test.each([
    [512 * MB, 250],
    [400 * MB, 200],
    [256 * MB, 50],
    [64 * 1024 * MB, 250],
  ])('%i bytes → %i runs in the cache', (bytes, runs) => {
    expect(cachedRuns(bytes)).toBe(runs);
  });

  test('the memory that is available → more than a worker needs at rest, and known', () => {
    expect(availableMemory()).toBeGreaterThan(200 * MB);
    expect(Number.isFinite(availableMemory())).toBe(true);
  });

  test.each([
    ['536870912', 512 * MB],
    ['512MB', 512 * MB],
    ['512 MiB', 512 * MB],
    ['512m', 512 * MB],
    ['1.5gb', 1_536 * MB],
    ['2Gi', 2_048 * MB],
    ['262144kb', 256 * MB],
  ])('%s → %i bytes', (text, bytes) => {
    expect(sizeSchema.parse(text)).toBe(bytes);
  });
});
