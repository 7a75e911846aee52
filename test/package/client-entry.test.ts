/** The entry point for application code, as built in dist/. */
import { expect, test } from 'vitest';
import { loadedModules, packagesOf } from './loaded-packages.js';

test('client: imported → Temporal and zod are loaded, nothing of openai, commander, the AWS SDK or the worker', async () => {
  const packages = packagesOf(await loadedModules('temporal-llm-jobs/client'));
  expect(packages).toEqual(expect.arrayContaining(['@temporalio/client', 'zod']));
  const unwanted =
    /^(openai|commander|fastify|@aws-sdk\/.*|@temporalio\/(worker|core-bridge|activity|workflow|plugin))$/;
  expect(packages.filter((name) => unwanted.test(name))).toEqual([]);
});

test('workers: imported → openai is loaded, so the check above would see it', async () => {
  const packages = packagesOf(await loadedModules('./dist/worker/main.js'));
  expect(packages).toEqual(expect.arrayContaining(['openai', '@temporalio/worker']));
});

test('client: exports → what application code needs, with storage and the schemas', async () => {
  const entry = (await import('../../src/client.js')) as Record<string, unknown>;
  expect(Object.keys(entry)).toEqual(
    expect.arrayContaining([
      'LlmJobsClient',
      'InvalidSpecError',
      'RunEndedError',
      'BatchRun',
      'BulkBatchRun',
      'FineTuningRun',
      'readResults',
      'findOrphans',
      'Storage',
      'S3Backend',
      'StorageError',
      'batchSpecSchema',
      'bulkBatchSpecSchema',
      'fineTuningSpecSchema',
      'FAILURES',
    ]),
  );
});
