/** What waits for Temporal while it cannot be reached, for example while it is being upgraded. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError } from '@temporalio/client';

/** How long Temporal may be unreachable, unless the caller says otherwise. */
export const MAX_OUTAGE = '10m';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;
/** A question that was open for longer was answered by a server that was there. */
const CONNECTED_MS = 60_000;

/** GRPC's `UNAVAILABLE`. */
const UNAVAILABLE = 14;

/**
 * Asks until Temporal answers.
 *
 * @param maxOutageMs how long Temporal may be unreachable in one piece
 * @throws the error of the last question
 */
export async function throughOutages<T>(ask: () => Promise<T>, maxOutageMs: number): Promise<T> {
  let downSince: number | null = null;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    const askedAt = Date.now();
    try {
      return await ask();
    } catch (error) {
      if (!isOutage(error)) throw error;
      if (Date.now() - askedAt > CONNECTED_MS) downSince = Date.now();
      downSince ??= askedAt;
      const leftMs = downSince + maxOutageMs - Date.now();
      if (leftMs <= 0) throw error;
      await sleep(Math.min(waitMs, leftMs));
    }
  }
}

/** The client wraps the errors of its calls. */
function isOutage(error: unknown): boolean {
  const { cause } = error as { readonly cause?: unknown };
  return [error, cause].some((each) => isGrpcServiceError(each) && (each.code as number) === UNAVAILABLE);
}
