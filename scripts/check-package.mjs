/** `npm run check:package`: what would be published is complete, resolves everywhere, imports in plain Node, and holds nothing else. Needs a build. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const root = resolve(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const MAX_UNPACKED_BYTES = 6_000_000;
const REQUIRED = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'dist/workflow-bundle.cjs', 'dist/worker.js'];
const ALLOWED =
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|src\/.+\.ts|dist\/.+\.(js|js\.map|d\.ts|d\.ts\.map)|dist\/workflow-bundle\.cjs)$/;
const SECRETS = [/\bsk-[A-Za-z0-9_-]{32,}/, /\bAKIA[0-9A-Z]{16}\b/, /-----BEGIN [A-Z ]*PRIVATE KEY-----/];

/** It runs in the workflow sandbox only. */
const NOT_FOR_NODE = './workflow-bundle';

const faults = [];
let summary = '';
const work = mkdtempSync(join(tmpdir(), 'check-package-'));
try {
  const { tarball, files, unpackedSize } = pack();
  summary = `Package: ${files.length} files, ${(unpackedSize / 1e6).toFixed(1)} MB unpacked, ${Object.keys(manifest.exports).length} entry points; publint and attw have no complaint`;
  checkContent(files, unpackedSize);
  checkExports(files);
  checkText(files);
  await checkPublint(tarball);
  checkTypes(tarball);
  checkImports();
} catch (error) {
  faults.push(error.message);
} finally {
  rmSync(work, { recursive: true, force: true });
}
if (faults.length > 0) {
  console.error(`The package is not right:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  process.exit(1);
}
console.log(summary);

function pack() {
  const { stdout } = run('npm', ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', work]);
  const packed = JSON.parse(stdout);
  const [{ filename, files, unpackedSize }] = Array.isArray(packed) ? packed : Object.values(packed);
  return { tarball: join(work, filename), files: files.map(({ path }) => path), unpackedSize };
}

function checkContent(files, unpackedSize) {
  for (const file of REQUIRED) if (!files.includes(file)) faults.push(`${file} is missing`);
  for (const file of files) {
    if (!ALLOWED.test(file) || /\.test\.|(^|\/)\./.test(file)) faults.push(`${file} has no business in the package`);
  }
  const compiled = files
    .filter((file) => file.startsWith('src/'))
    .map((file) => file.replace(/^src/, 'dist').replace(/\.ts$/, ''))
    .flatMap((file) => ['.js', '.js.map', '.d.ts', '.d.ts.map'].map((suffix) => file + suffix));
  const missing = compiled.filter((file) => !files.includes(file));
  if (missing.length > 0)
    faults.push(`${missing.length} compiled files are missing, such as ${missing[0]}; build first`);
  if (unpackedSize > MAX_UNPACKED_BYTES) faults.push(`${unpackedSize} bytes unpacked, more than ${MAX_UNPACKED_BYTES}`);
}

function checkExports(files) {
  for (const [name, target] of Object.entries(manifest.exports)) {
    for (const path of typeof target === 'string' ? [target] : Object.values(target)) {
      if (!files.includes(path.replace('./', ''))) faults.push(`exports["${name}"] names ${path}, which is not there`);
    }
  }
}

/** Neither keys nor paths of the machine that built; the source map inside the bundle is looked into, too. */
function checkText(files) {
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8');
    const inlineMap = /sourceMappingURL=data:[^,]*base64,(\S+)/.exec(text)?.[1] ?? '';
    const whole = text + Buffer.from(inlineMap, 'base64').toString();
    for (const secret of SECRETS) if (secret.test(whole)) faults.push(`${file} holds something like a key: ${secret}`);
    if (whole.includes(root)) faults.push(`${file} holds the path of the machine that built it`);
  }
}

async function checkPublint(tarball) {
  const { messages, pkg } = await publint({ pack: { tarball: arrayBuffer(tarball) }, strict: true });
  // The bundle is a script for the sandbox. It is exported for its path, not to be imported.
  const ours = messages.filter(({ code }) => code !== 'CJS_WITH_ESMODULE_DEFAULT_EXPORT');
  for (const message of ours) faults.push(`publint: ${formatMessage(message, pkg, { color: false })}`);
}

function arrayBuffer(path) {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return buffer.slice(byteOffset, byteOffset + byteLength);
}

function checkTypes(tarball) {
  const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
  const args = [
    attw,
    tarball,
    '--profile',
    'esm-only',
    '--exclude-entrypoints',
    NOT_FOR_NODE,
    '--format',
    'ascii',
    '--no-emoji',
  ];
  const { status, stdout, stderr } = run(process.execPath, args, { tolerant: true });
  if (status !== 0) faults.push(`attw:\n${stdout}${stderr}`);
}

function checkImports() {
  for (const name of Object.keys(manifest.exports)) {
    if (name === NOT_FOR_NODE || name.endsWith('.json')) continue;
    const specifier = JSON.stringify(manifest.name + name.slice(1));
    const code = `if (Object.keys(await import(${specifier})).length === 0) throw new Error('exports nothing');`;
    const { status, stderr } = run(process.execPath, ['--input-type=module', '-e', code], { tolerant: true });
    if (status !== 0)
      faults.push(`import ${specifier}: ${stderr.split('\n').find((line) => /Error/.test(line)) ?? stderr}`);
  }
}

function run(command, args, { tolerant = false } = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (result.error) throw result.error;
  if (result.status !== 0 && !tolerant) throw new Error(`${command} ${args[0]} failed: ${result.stderr}`);
  return result;
}
