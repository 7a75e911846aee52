import { setTimeout as sleep } from 'node:timers/promises';

/** Generous, since it only bounds what hangs: a busy machine may take ten times as long as an idle one. */
const LIMIT_MS = 120_000;
const PAUSE_MS = 50;

/**
 * Waits until the condition holds.
 *
 * @param what names the condition in the error
 * @throws Error when it does not hold within two minutes, and whatever the condition throws
 */
export async function waitFor(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited ${LIMIT_MS / 1_000} s for ${what}`);
    await sleep(PAUSE_MS);
  }
}
