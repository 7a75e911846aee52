import { setTimeout as sleep } from 'node:timers/promises';

/** Generous, since it only bounds what hangs: a busy machine may take ten times as long as an idle one. */
const LIMIT_MS = 120_000;
const PAUSE_MS = 50;

/**
 * Waits until the condition holds.
 *
 * @param what names the condition in the error
 * @param limitMs two minutes, unless what is waited for takes longer by itself
 * @throws Error when it does not hold within that time, and whatever the condition throws
 */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs = LIMIT_MS,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited ${limitMs / 1_000} s for ${what}`);
    await sleep(PAUSE_MS);
  }
}
