/** Each stage runs in a process of its own, so that its memory is its own too. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What a stage tells of itself. */
export interface Measured {
  readonly seconds: number;
  /** Processor time of the whole process, which other load on the machine lengthens less. */
  readonly cpuSeconds: number;
  /** What it read, or sent. */
  readonly bytes: number;
  /** Largest resident memory of the process, in bytes. */
  readonly peak: number;
  /** How far that lies above what the process had when the stage began. */
  readonly added: number;
  readonly [detail: string]: unknown;
}

/** Measures the work, after the memory's high-water mark was set back to what is in use. */
export async function measured<T extends { readonly bytes: number }>(work: () => Promise<T>): Promise<T & Measured> {
  forgetPeak();
  const before = residentPeak();
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  const result = await work();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const { user, system } = process.cpuUsage(cpu);
  const peak = residentPeak();
  return { ...result, seconds, cpuSeconds: (user + system) / 1e6, peak, added: peak - before };
}

/** As the worker runs: without it the chunks of files that nobody needs any more lie about until a larger heap is full. */
const NODE_OPTIONS = ['--max-semi-space-size=4'];

/** Runs a stage in a new process and gives back what it measured. */
export async function inProcess(stage: string, argument: unknown): Promise<Measured> {
  const script = fileURLToPath(new URL('stages.ts', import.meta.url));
  const child = spawn(process.execPath, [...NODE_OPTIONS, '--import', 'tsx', script, stage, JSON.stringify(argument)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`the stage ${stage} ended with ${code}`);
  return JSON.parse(output) as Measured;
}

/** `maxRSS` would do, but on Linux a process inherits it from the one that started it. */
function residentPeak(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

function forgetPeak(): void {
  if (process.platform !== 'linux') return;
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Then the peak is that of the whole process, which is more and never less.
  }
}
