import { expect, test, vi } from 'vitest';
import { plainProgress, withProgress } from '../../src/temporal-server/progress.js';

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
  vi.useFakeTimers();
  const error = withProgress(show, 'Fetching it', async () => 12_000_000, failSlowly).catch((reason: Error) => reason);
  await vi.advanceTimersByTimeAsync(1_300);
  expect(await error).toMatchObject({ message: 'no' });
  vi.useRealTimers();
  expect(shown).toEqual(['Fetching it …', 'Fetching it … 1 s, 12 MB']);
  expect(stop).toHaveBeenCalledOnce();
});

function failSlowly(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error('no')), 1_300);
  });
}
