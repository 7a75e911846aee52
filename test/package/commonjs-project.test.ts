/** A CommonJS project: it compiles, and `require` loads the package, which is an ES module. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { consumerProject } from './consumer-project.js';

const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

const WORKER = `
import { createActivities, findOrphans, LlmJobsPlugin, type OpenAIClient } from 'temporal-llm-jobs';
import { LlmJobsClient, readResults, type BulkBatchSpec } from 'temporal-llm-jobs/client';
import { Client } from '@temporalio/client';
import OpenAI, { AzureOpenAI } from 'openai';

const azure: OpenAIClient = new AzureOpenAI({ apiKey: 'k', apiVersion: '2025-01-01', endpoint: 'https://example.com' });
const options = {
  providers: { default: { client: new OpenAI({ apiKey: 'k' }) }, azure: { client: azure } },
  storage: ['file:///data/'],
};
console.log(new LlmJobsPlugin(options).name, typeof createActivities(options).createBatch);

export const orphans = (temporal: Client) => findOrphans({ temporal, openai: new OpenAI() });
export const spec: BulkBatchSpec = { input: { prefix: 'file:///data/' } };
export { LlmJobsClient, readResults };

// @ts-expect-error: not a client of the openai package
export const wrong: OpenAIClient = { apiKey: 'k', timeout: 1 };
`;

const tsconfig = (module: string) =>
  JSON.stringify({
    compilerOptions: { module, target: 'es2022', lib: ['es2023'], types: ['node'], strict: true, skipLibCheck: true },
    files: ['worker.ts'],
  });

test.each(['nodenext', 'node20'])(
  'types: CommonJS file under module %s → compiles, and the output runs',
  async (module) => {
    const project = await consumerProject({
      'package.json': JSON.stringify({ name: 'consumer', type: 'commonjs' }),
      'tsconfig.json': tsconfig(module),
      'worker.ts': WORKER,
    });
    onTestFinished(project.remove);
    await project.node(TSC, '-p', join(project.folder, 'tsconfig.json'), '--pretty', 'false');
    const output = await project.node('--no-warnings', 'worker.js');
    expect(output).toBe('temporal-llm-jobs function\n');
  },
);
