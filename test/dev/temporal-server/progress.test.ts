import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { plainProgress, withProgress } from '../../../dev/temporal-server/progress.js';

test('plain progress: updated every second → a line at the start, then at most one every ten seconds', () => {
  vi.useFakeTimers();
  const lines: string[] = [];
  const progress = plainProgress('Fetching …', (line) => lines.push(line));
  for (let second = 1; second <= 25; second++) {
    vi.advanceTimersByTime(1000);
    progress.update(`Fetching … ${second} s`);
  }
  progress.stop();
  vi.useRealTimers();
  expect(lines).toEqual(['Fetching …', 'Fetching … 10 s', 'Fetching … 20 s']);
});

test('withProgress: action fails → seconds and megabytes were shown, and progress is stopped', async () => {
  const shown: string[] = [];
  const stop = vi.fn<() => void>();
  const show = (text: string) => {
    shown.push(text);
    return { update: (next: string) => shown.push(next), stop };
  };
  await expect(withProgress(show, 'Fetching it', async () => 12_000_000, failSlowly)).rejects.toThrow('no');
  expect(shown).toEqual(['Fetching it …', 'Fetching it … 1 s, 12 MB']);
  expect(stop).toHaveBeenCalledOnce();
});

async function failSlowly(): Promise<never> {
  await sleep(1300);
  throw new Error('no');
}
