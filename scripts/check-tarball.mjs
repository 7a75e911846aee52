/**
 * The part of `npm run check:package` that publint and attw do not cover: nothing private is published, and every entry
 * point can be imported in plain Node. (publint runs at level `error`, since it would warn about the bundle, which is
 * read by path, never imported.)
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const SECRETS = [/\bsk-[A-Za-z0-9_-]{32,}/, /\bAKIA[0-9A-Z]{16}\b/, /-----BEGIN [A-Z ]*PRIVATE KEY-----/];
const EXPECTED =
  /^((package\.json|LICENSE|(README|CHANGELOG|CONTRIBUTING|SECURITY)\.md|bench\/README\.md)|docs\/.+\.(md|svg|json|png)|dashboards\/.+\.json|examples\/(?!demo\/).+\.(md|ts|py|go|jsonl)|src\/.+\.ts|dist\/(.+\.(js|d\.ts)(\.map)?|workflow-bundle\.cjs))$/;

process.chdir(ROOT);
const { name, exports } = JSON.parse(readFileSync('package.json', 'utf8'));
const files = packedFiles();
const faults = [];
for (const file of files) {
  if (!EXPECTED.test(file)) faults.push(`unexpected file ${file}`);
  const text = withSourceMap(readFileSync(file, 'utf8'));
  if (SECRETS.some((secret) => secret.test(text))) faults.push(`${file} contains what looks like a key`);
  if (text.includes(ROOT)) faults.push(`${file} contains a path of this machine`);
}
for (const entry of Object.keys(exports)) {
  if (entry === './workflow-bundle' || entry.endsWith('.json')) continue;
  try {
    const exported = await import(name + entry.slice(1));
    if (Object.keys(exported).length === 0) throw new Error('it exports nothing');
  } catch (error) {
    faults.push(`cannot import ${name + entry.slice(1)}: ${error.message}`);
  }
}
if (faults.length > 0) {
  console.error(`Package check failed:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  process.exit(1);
}
console.log(`Package check passed: ${files.length} files, ${Object.keys(exports).length} entry points`);

function packedFiles() {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { stdout, status, error } = spawnSync('npm', args, { encoding: 'utf8', shell: process.platform === 'win32' });
  if (status !== 0) throw error ?? new Error('npm pack failed');
  // Newer versions of npm print an object with the packages by name.
  return Object.values(JSON.parse(stdout)).flatMap((packed) => packed.files.map(({ path }) => path));
}

/** The text of a file with its inline source map decoded. */
function withSourceMap(text) {
  const [, encoded = ''] = text.split(/sourceMappingURL=data:[^,]*base64,/);
  return text + Buffer.from(encoded, 'base64').toString();
}
