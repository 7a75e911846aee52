/** The entry point for application code, as built in dist/. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Packages whose modules Node loads for an entry point, found by a loader hook. */
async function loadedPackages(entry: string): Promise<string[]> {
  const hooks = `
    import { writeSync } from 'node:fs';
    export async function load(url, context, next) { writeSync(1, url + '\\n'); return next(url, context); }`;
  const main = `
    import { register } from 'node:module';
    register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});
    await import(${JSON.stringify(entry)});
    for (const path of Object.keys((await import('node:module')).default._cache)) console.log(path);`;
  const args = ['--input-type=module', '-e', main];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  const names = stdout.matchAll(/node_modules[\\/]((?:@[^\\/\n]+[\\/])?[^\\/\n]+)[^\n]*$/gm);
  return [...new Set([...names].map(([, name = '']) => name.replace('\\', '/')))];
}

test('client: imported → Temporal and zod are loaded, nothing of openai, commander, the AWS SDK or the worker', async () => {
  const packages = await loadedPackages('temporal-llm-jobs/client');
  expect(packages).toEqual(expect.arrayContaining(['@temporalio/client', 'zod']));
  const unwanted =
    /^(openai|commander|fastify|@aws-sdk\/.*|@temporalio\/(worker|core-bridge|activity|workflow|plugin))$/;
  expect(packages.filter((name) => unwanted.test(name))).toEqual([]);
});

test('workers: imported → openai is loaded, so the check above would see it', async () => {
  const packages = await loadedPackages('./dist/worker/main.js');
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
