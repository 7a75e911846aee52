/** A worker that is bundled by esbuild, in a project without the optional AWS packages. */
import { join } from 'node:path';
import { build, type Format } from 'esbuild';
import { expect, onTestFinished, test } from 'vitest';
import { consumerProject } from './consumer-project.js';

const WORKER = `
  import { LlmJobsPlugin, S3Backend } from 'temporal-llm-jobs';
  import OpenAI from 'openai';
  const providers = { default: { client: new OpenAI({ apiKey: 'sk-local' }) } };
  console.log(new LlmJobsPlugin({ providers, storage: ['file:///data/'] }).name);
  new S3Backend().stat(new URL('s3://bucket/key')).catch((error) => console.log(error.code, error.message));`;

test.each<[Format, string]>([
  ['cjs', 'bundle.cjs'],
  ['esm', 'bundle.mjs'],
])('esbuild: %s, AWS packages not installed → builds, runs, and S3 names what to install', async (format, name) => {
  const project = await consumerProject({ 'worker.mjs': WORKER }, ['@aws-sdk']);
  onTestFinished(project.remove);
  const { errors } = await build({
    entryPoints: [join(project.folder, 'worker.mjs')],
    bundle: true,
    platform: 'node',
    format,
    // They contain a native addon and workflow code, and are never bundled.
    external: ['@temporalio/*'],
    outfile: join(project.folder, name),
    logLevel: 'silent',
    // Packages in CommonJS call `require`, which an ES module lacks.
    ...(format === 'esm' && {
      banner: {
        js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
      },
    }),
  });
  expect(errors).toEqual([]);
  const output = await project.node(name);
  expect(output).toMatch(
    /^temporal-llm-jobs\nUnsupportedScheme s3:.* needs @aws-sdk\/client-s3 and @aws-sdk\/lib-storage/,
  );
});
