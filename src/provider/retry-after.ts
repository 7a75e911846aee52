/** Longest wait that is honoured: one hour. A provider that means a longer one answers the same again. */
const MAX_WAIT_MS = 60 * 60 * 1_000;

/**
 * Milliseconds that a reply asks to wait, from `retry-after-ms` (milliseconds) or else from `retry-after` (seconds or
 * an HTTP date); null if neither is readable. Unlike the SDK (version 7), this honours a wait of more than 60 s. A date
 * is read by the provider's clock, which is the reply's own `date`; by that of the worker (`nowMs`) where there is none.
 */
export function retryAfterMs(headers: Headers | undefined, nowMs: number): number | null {
  const exact = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (exact >= 0) return Math.min(Math.round(exact), MAX_WAIT_MS);
  const text = headers?.get('retry-after')?.trim() ?? '';
  if (text === '') return null;
  const seconds = Number(text);
  const wait = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(text) - (dateOf(headers) ?? nowMs);
  return wait >= 0 ? Math.min(Math.round(wait), MAX_WAIT_MS) : null;
}

/** The time on the clock of whoever sent a reply, in epoch milliseconds; null where its `date` does not say. */
export function dateOf(headers: Pick<Headers, 'get'> | undefined): number | null {
  const time = Date.parse(headers?.get('date') ?? '');
  return Number.isNaN(time) ? null : time;
}
