/** Runs each stage in a separate process, so that its memory can be measured separately. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The measurements of one stage. */
export interface Measured {
  readonly seconds: number;
  /** Processor time of the whole process, which depends less on other load than `seconds`. */
  readonly cpuSeconds: number;
  /** Bytes read or sent. */
  readonly bytes: number;
  /** Largest resident memory of the process, in bytes. */
  readonly peak: number;
  /** By how many bytes `peak` exceeds the resident memory at the start of the stage. */
  readonly added: number;
  readonly [detail: string]: unknown;
}

/** Measures the work. The memory's high-water mark is first reset to the memory in use. */
export async function measured<T extends { readonly bytes: number }>(work: () => Promise<T>): Promise<T & Measured> {
  resetPeak();
  const before = residentPeak();
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  const result = await work();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const { user, system } = process.cpuUsage(cpu);
  const peak = residentPeak();
  return { ...result, seconds, cpuSeconds: (user + system) / 1e6, peak, added: peak - before };
}

/** The worker runs with this option: with a larger young generation, unused file chunks are collected much later. */
const NODE_OPTIONS = ['--max-semi-space-size=4'];

/** Runs a stage in a new process and returns its measurements. */
export async function inProcess(stage: string, argument: unknown): Promise<Measured> {
  const script = fileURLToPath(new URL('stages.ts', import.meta.url));
  const child = spawn(process.execPath, [...NODE_OPTIONS, '--import', 'tsx', script, stage, JSON.stringify(argument)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`stage ${stage} ended with exit code ${code}`);
  return JSON.parse(output) as Measured;
}

/** Not `maxRSS` on Linux, where a process inherits that of its parent. */
function residentPeak(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

function resetPeak(): void {
  if (process.platform !== 'linux') return;
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Without the reset, the peak is that of the whole process, which can only be higher.
  }
}
