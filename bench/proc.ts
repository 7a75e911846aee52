/** What the kernel counts of another process. Zero where it counts nothing: there is no /proc. */
import { readFile } from 'node:fs/promises';

const BYTES_PER_KB = 1_024;

/** The peak of resident memory, in bytes. */
export const peakBytes = (pid: number): Promise<number> => statusField(pid, 'VmHWM');

/** The resident memory, in bytes. */
export const residentBytes = (pid: number): Promise<number> => statusField(pid, 'VmRSS');

async function statusField(pid: number, field: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) * BYTES_PER_KB;
}

/** Processor time over all threads. The kernel counts in hundredths of a second. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user + system) / 100;
}
