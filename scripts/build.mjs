/**
 * `npm run build`: src/ to dist/ by the compiler, then the workflow bundle of the ready-made worker.
 * What is there stays whole until its successor is: tests and workers may be running on it.
 *
 * With `--if-stale` it does nothing when dist/ is newer than all that it is made of.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative, resolve, sep } from 'node:path';
import { performance } from 'node:perf_hooks';

const require = createRequire(import.meta.url);
const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
const bundlePath = join(dist, 'workflow-bundle.cjs');

/** The code alone, without its source map. It was 1.1 MB when this was written; a leap tells that something large slipped in. */
const MAX_BUNDLE_BYTES = 1_600_000;

const MAP_COMMENT = '//# sourceMappingURL=data:application/json;charset=utf-8;base64,';

if (process.argv.includes('--if-stale') && !isStale()) process.exit(0);
const began = performance.now();
compile();
const bundled = await bundle();
const seconds = ((performance.now() - began) / 1000).toFixed(1);
console.log(`Built dist/ in ${seconds} s; the workflow bundle has ${Math.round(bundled / 1000)} kB of code`);

function isStale() {
  if (!existsSync(bundlePath)) return true;
  const built = statSync(bundlePath).mtimeMs;
  const made = ['src', 'scripts/build.mjs', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  return made.some((name) => newest(join(root, name)) > built);
}

/** A folder's own time counts too: it tells of a file that went away. */
function newest(path) {
  const info = statSync(path);
  if (!info.isDirectory()) return info.mtimeMs;
  return Math.max(info.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** Compiles beside dist/ and swaps it in; the former bundle moves along until the next is made. */
function compile() {
  removeLeftovers();
  const fresh = join(root, `.dist-${process.pid}`);
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const result = spawnSync(
    process.execPath,
    [tsc, '-p', 'tsconfig.build.json', '--outDir', fresh, '--pretty', 'false'],
    {
      cwd: root,
      stdio: 'inherit',
    },
  );
  if (result.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    process.exit(1);
  }
  if (existsSync(bundlePath)) {
    const { atime, mtime } = statSync(bundlePath);
    const kept = join(fresh, 'workflow-bundle.cjs');
    copyFileSync(bundlePath, kept);
    utimesSync(kept, atime, mtime);
  }
  const former = `${fresh}-former`;
  if (existsSync(dist)) renameSync(dist, former);
  renameSync(fresh, dist);
  rmSync(former, { recursive: true, force: true });
}

/** What builds that were killed left behind: their process is gone. */
function removeLeftovers() {
  for (const name of readdirSync(root)) {
    const pid = /^\.dist-(\d+)(-former)?$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(root, name), { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function bundle() {
  const { bundleWorkflowCode, DefaultLogger } = require('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(dist, 'workflows.js'),
    logger: new DefaultLogger('WARN', ({ level, message }) => console.error(`${level} ${message}`)),
  });
  const { body, map } = splitSourceMap(code);
  checkBundle(body, map);
  const temporary = `${bundlePath}.${process.pid}`;
  mkdirSync(dist, { recursive: true });
  writeFileSync(temporary, body + inlineSourceMap(portable(map)));
  renameSync(temporary, bundlePath);
  return body.length;
}

function checkBundle(body, map) {
  const faults = [];
  if (body.length > MAX_BUNDLE_BYTES) faults.push(`it has ${body.length} bytes of code, more than ${MAX_BUNDLE_BYTES}`);
  for (const source of map.sources) {
    if (/node_modules[\\/]openai[\\/]/.test(source)) faults.push(`it holds ${relative(root, source)} of openai`);
    if (/^(external )?["']?node:/.test(source)) faults.push(`it holds ${source} of Node`);
  }
  if (/\brequire\(["']node:/.test(body)) faults.push('it requires a module of Node');
  if (faults.length === 0) return;
  console.error(`The workflow bundle is not right:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  process.exit(1);
}

function splitSourceMap(code) {
  const at = code.lastIndexOf(MAP_COMMENT);
  if (at < 0) throw new Error('The bundle has no inline source map; has the SDK changed its form?');
  const map = JSON.parse(Buffer.from(code.slice(at + MAP_COMMENT.length), 'base64').toString());
  return { body: code.slice(0, at), map };
}

/**
 * The SDK maps to absolute paths of the machine that built. In the package they are relative to its root (`src/workflows/batch.ts`), as
 * they then stand in stack traces. Only our own sources come with their text; without the others the bundle is half as large.
 */
function portable(map) {
  const sources = map.sources.map(relativePath);
  const sourcesContent = map.sourcesContent.map((text, index) => (sources[index].startsWith('src/') ? text : null));
  return { ...map, sources, sourcesContent };
}

/** Also inside of names that webpack makes up, such as `ignored|/home/me/…|…`. */
function relativePath(source) {
  return source
    .replaceAll(root + sep, '')
    .split(sep)
    .join('/');
}

function inlineSourceMap(map) {
  return MAP_COMMENT + Buffer.from(JSON.stringify(map)).toString('base64');
}
