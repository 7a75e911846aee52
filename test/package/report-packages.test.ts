/** The packages that draw plots are optional, and loaded by `llm-jobs report` alone. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { loadedModules, packagesOf } from './loaded-packages.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('llm-jobs: its commands loaded → nothing that draws plots or reads CSV', async () => {
  const packages = packagesOf(await loadedModules('./dist/cli/program.js'));
  expect(packages).toContain('commander');
  expect(packages.filter((name) => /^(@observablehq\/.*|linkedom|d3.*|csv-parse)$/.test(name))).toEqual([]);
});

/** As where the optional packages are not installed. */
const HOOKS = `
  export async function resolve(name, context, next) {
    if (name === '@observablehq/plot') throw Object.assign(new Error('missing'), { code: 'ERR_MODULE_NOT_FOUND' });
    return next(name, context);
  }`;

test('a report without the packages → all tables, and how to install them', async () => {
  const report = {
    kind: 'fineTuning',
    id: 'job',
    runStatus: 'COMPLETED',
    startedAt: 0,
    endedAt: 60,
    madeAt: 60,
    spec: { provider: null, endpoint: null, model: null, input: null },
    failure: null,
    notes: [],
    cost: null,
    progress: null,
    metrics: { names: ['train_loss'], steps: [{ step: 7, values: { train_loss: 0.25 } }] },
    result: {
      status: 'succeeded',
      jobId: 'job',
      fineTunedModel: 'model',
      trainedTokens: null,
      hyperparameters: null,
      method: null,
      checkpoints: [],
      resultFiles: [],
      events: null,
      timestamps: { createdAt: 0, finishedAt: 60 },
      cancellation: null,
      warnings: [],
    },
  };
  const main = `
    import { register } from 'node:module';
    register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(HOOKS)}`)});
    const { reportPage } = await import('./dist/report/page.js');
    process.stdout.write(JSON.stringify(await reportPage(${JSON.stringify(report)})));`;
  const args = ['--input-type=module', '-e', main];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  const { page, hasPlots } = JSON.parse(stdout) as { page: string; hasPlots: boolean };
  expect(hasPlots).toBe(false);
  expect(page).toContain('npm install @observablehq/plot linkedom');
  expect(page).not.toContain('<svg');
  expect(page.replace(/\s+/g, ' ')).toMatch(/<td class="number">7<\/td> ?<td class="number">0\.25<\/td>/);
});
