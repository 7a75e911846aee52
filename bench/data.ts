/**
 * `npm run bench:data -- --requests 1000000 --repeat 3`: what splitting, uploading and merging cost on this machine.
 * Each stage runs in a separate process, beside its bounds in the same run: reading the same files, `JSON.parse` of
 * every line (with our own line splitter, the strict bound, and with Node's `readline`), and a plain copy. Prints a
 * table; `--json` names a file for all figures.
 */
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { inProcess, type Measured } from './process.js';
import { requestsPath, type ResultFiles } from './stages.js';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '1000000' },
    /** Rounds of all stages: other load on the machine hits some of them only. */
    repeat: { type: 'string', default: '3' },
    /** Whether texts have letters beyond ASCII. */
    unicode: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const requests = Number(values.requests);
const folder = await mkdtemp(join(tmpdir(), 'llm-jobs-bench-data-'));
const setting = { folder, requests, unicode: values.unicode };
const rounds: Record<string, Measured>[] = [];
try {
  console.log(`Writing ${requests.toLocaleString('en-US')} requests and the results of their batches`);
  const { results } = (await inProcess('generate', setting)) as Measured & { results: ResultFiles[] };
  for (let round = 1; round <= Number(values.repeat); round += 1) {
    console.log(
      `\nRound ${round} of ${values.repeat}; load ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} processors`,
    );
    rounds.push(await runRound(results));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
const ratios = ['split', 'merge'].flatMap((stage) => {
  const files = stage === 'split' ? 'requests' : 'requests and results';
  const bounds = [`parse ${files}`, `parse ${files} by readline`, `copy ${files}`];
  return [`${stage}, nothing written`, stage].flatMap((name) => bounds.map((bound) => ratioOf(name, bound)));
});
console.log('\nSpeed beside what it is held against, round by round; 1 is as fast\n');
printRow(['', 'held against', 'by the clock', 'by processor time']);
for (const { stage, bound, wall, processor } of ratios) {
  printRow([stage, bound, wall.join(', '), processor.join(', ')]);
}
if (values.json !== undefined) {
  await mkdir(dirname(values.json), { recursive: true });
  const machine = { processor: cpus()[0]?.model, processors: availableParallelism(), node: process.version };
  await writeFile(
    values.json,
    `${JSON.stringify({ ...setting, folder: undefined, machine, ratios, rounds }, null, 2)}\n`,
  );
}

async function runRound(results: ResultFiles[]): Promise<Record<string, Measured>> {
  const input = [pathToFileURL(requestsPath(folder)).href];
  const all = [...input, ...results.flatMap(({ output, errors }) => [output, errors])];
  const round: Record<string, Measured> = {};
  const run = async (name: string, stage: string, argument: object): Promise<Measured> => {
    await settle();
    const { bytes, seconds, cpuSeconds, peak, added } = (round[name] = await inProcess(stage, {
      ...setting,
      ...argument,
    }));
    const cells = [
      `${(bytes / 1e6 / seconds).toFixed(0)} MB/s`,
      `${seconds.toFixed(2)} s`,
      `${cpuSeconds.toFixed(2)} s cpu`,
      `${(peak / 1e6).toFixed(0)} MB peak`,
      `${(added / 1e6).toFixed(0)} MB added`,
    ];
    console.log(`${name.padEnd(40)}${cells.map((cell) => cell.padStart(15)).join('')}`);
    return round[name];
  };
  const remove = async (...names: string[]): Promise<void> => {
    for (const name of names) await rm(join(folder, name), { recursive: true, force: true });
  };
  await run('read requests', 'read', { uris: input });
  await run('parse requests', 'parse', { uris: input });
  await run('parse requests by readline', 'parseByReadline', { uris: input });
  await run('copy requests', 'copy', { uris: input });
  await remove('copy');
  await run('split, nothing written', 'splitOnly', {});
  const { parts } = (await run('split', 'split', {})) as Measured & { parts: string[] };
  const api = fork(fileURLToPath(new URL('local-api.ts', import.meta.url)), ['--at-once'], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  try {
    const [line] = (await once(createInterface(api.stdout!), 'line')) as [string];
    const { url, apiKey } = JSON.parse(line) as { url: string; apiKey: string };
    await run('upload', 'upload', { uris: parts, apiUrl: url, apiKey });
    await run('upload of 200 MB in one file', 'uploadLarge', { uris: parts, apiUrl: url, apiKey });
  } finally {
    api.kill();
  }
  await remove('parts', 'large.jsonl');
  await run('read requests and results', 'read', { uris: all });
  await run('parse requests and results', 'parse', { uris: all });
  await run('parse requests and results by readline', 'parseByReadline', { uris: all });
  await run('copy requests and results', 'copy', { uris: all });
  await remove('copy');
  await run('merge, nothing written', 'mergeOnly', { results });
  await run('merge', 'merge', { results });
  await remove('output.jsonl', 'errors.jsonl');
  return round;
}

/** How fast a stage is beside what it is held against, round by round: 1 is as fast. */
function ratioOf(stage: string, bound: string): { stage: string; bound: string; wall: string[]; processor: string[] } {
  const inRounds = (key: 'seconds' | 'cpuSeconds') =>
    rounds.map((round) => ((round[bound]?.[key] ?? 0) / (round[stage]?.[key] ?? 1)).toFixed(2));
  return { stage, bound, wall: inRounds('seconds'), processor: inRounds('cpuSeconds') };
}

function printRow(cells: readonly string[]): void {
  const widths = [24, 40, 20, 20];
  console.log(
    cells
      .map((cell, index) => cell.padEnd(widths[index]!))
      .join('')
      .trimEnd(),
  );
}

/**
 * Else a stage would pay for what the one before it wrote: its pages are still on their way to the disk, and memory to
 * the host.
 */
async function settle(): Promise<void> {
  if (process.platform !== 'win32') await promisify(execFile)('sync');
  await setTimeout(1_000);
}
