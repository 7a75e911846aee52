/**
 * `npm run build`: compiles src/ to dist/, makes one file of the parsers of specs with all that they import, then bundles
 * the workflows for the ready-made worker. Files are replaced one by one, so tests and workers that are using dist/ never find it empty. With `--if-stale`, does nothing if dist/ is
 * newer than everything it is made of.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import * as esbuild from 'esbuild';

const ROOT = resolve(import.meta.dirname, '..');
const BUNDLE_NAME = 'workflow-bundle.cjs';
const BUNDLE = join('dist', BUNDLE_NAME);
/** With zod, which would be frozen as a module of its own when workers preload it, and throw. */
const PARSERS = join('dist', 'contract', 'spec-parsers.js');
/** Preloaded by workers, with all that it imports. */
const WORKFLOWS = join('dist', 'workflows.js');
/** Without the source map. It was 1.1 MB when this was written; a leap means that a large package has slipped in. */
const MAX_BUNDLE_BYTES = 1_600_000;
/** Of a module: a variable, or a collection that is not read-only. Runs share the modules. */
const STATE = /^(?:export )?(?:(?:let|var) |const (?![^=\n]*: Readonly)[^=\n]+ = new (?:Map|Set|WeakMap|WeakSet)\b)/m;
const MAP_COMMENT = '//# sourceMappingURL=data:application/json;charset=utf-8;base64,';

process.chdir(ROOT);
if (process.argv.includes('--if-stale') && !isStale()) process.exit();
const began = new Date();
compile();
await bundleParsers();
const bytes = await bundle();
// A source that was saved during the build is newer than the bundle, so the next build does not miss it.
utimesSync(BUNDLE, began, began);
const seconds = ((Date.now() - began) / 1_000).toFixed(1);
console.log(`Built dist/ in ${seconds} s (workflow bundle: ${Math.round(bytes / 1_000)} kB)`);

function isStale() {
  if (!existsSync(BUNDLE)) return true;
  // Folders are compared too: their time changes when a file is removed.
  const sources = readdirSync('src', { recursive: true }).map((name) => join('src', name));
  const inputs = ['src', ...sources, 'scripts/build.mjs', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  return inputs.some((path) => statSync(path).mtimeMs > statSync(BUNDLE).mtimeMs);
}

function compile() {
  const args = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'];
  const tsc = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (tsc.status !== 0) process.exit(1);
  // Remove the output of sources that no longer exist.
  for (const name of readdirSync('dist', { recursive: true })) {
    const source = join('src', name.replace(/\.(js|d\.ts)(\.map)?$/, '.ts'));
    const isObsolete = !existsSync(source) && name !== BUNDLE_NAME;
    if (isObsolete) rmSync(join('dist', name), { recursive: true, force: true });
  }
}

async function bundleParsers() {
  const { outputFiles } = await esbuild.build({
    entryPoints: [PARSERS],
    outdir: join('dist', 'contract'),
    allowOverwrite: true,
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'node20',
    sourcemap: 'linked',
    sourcesContent: false,
    banner: { js: '/*! Contains zod (MIT, Colin McDonnell) and ms (MIT, Vercel, Inc.). */' },
  });
  for (const { path, contents } of outputFiles) replaceFile(path, contents);
}

async function bundle() {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: resolve(WORKFLOWS),
    preloadModules: [resolve(WORKFLOWS)],
    logger: new DefaultLogger('WARN', ({ level, message }) => console.error(`${level} ${message}`)),
  });
  const [body, encodedMap] = code.split(MAP_COMMENT);
  if (encodedMap === undefined) throw new Error('the bundle has no inline source map; has the SDK changed its format?');
  const map = JSON.parse(Buffer.from(encodedMap, 'base64'));
  // The SDK maps to absolute paths. Relative ones are shorter in stack traces and do not disclose where the build ran.
  map.sources = map.sources.map((source) => source.replaceAll(ROOT + sep, '').replaceAll(sep, '/'));
  // Half of the file would be the text of other packages' sources.
  map.sourcesContent = map.sourcesContent.map((text, index) => (map.sources[index].startsWith('src/') ? text : null));

  const forbidden = map.sources.filter((source) => /node_modules\/openai\/|^(external )?["']?node:/.test(source));
  // Preloaded as a module of its own, zod would be frozen.
  if (/^\/\*{3}\/ ".*node_modules\/zod\//m.test(body)) forbidden.push('zod, except in the parsers of specs');
  // The bundler drops a preloaded module that `sideEffects` in package.json does not list.
  if (!/preloadModules = function preloadModules\(\) \{\s*__webpack_require__/.test(body)) {
    throw new Error('the workflow bundle preloads nothing: the workflows were dropped');
  }
  map.sourcesContent.forEach((text, index) => {
    if (text !== null && STATE.test(text)) forbidden.push(`state that runs would share, in ${map.sources[index]}`);
  });
  if (forbidden.length > 0) throw new Error(`the workflow bundle must not contain ${forbidden.join(', ')}`);
  if (body.length > MAX_BUNDLE_BYTES) throw new Error(`the workflow bundle exceeds ${MAX_BUNDLE_BYTES} bytes`);

  replaceFile(BUNDLE, body + MAP_COMMENT + Buffer.from(JSON.stringify(map)).toString('base64'));
  return body.length;
}

function replaceFile(path, contents) {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}
