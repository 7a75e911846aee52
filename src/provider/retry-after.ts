/** Longest wait that a reply can ask for: a day. Longer is a mistake or a date far off. */
const LONGEST_MS = 24 * 60 * 60 * 1_000;

/**
 * Milliseconds that a reply asks to wait, from `retry-after-ms` (milliseconds) or else `retry-after` (seconds or an HTTP date);
 * null where neither is readable. Unlike the SDK (version 7), a wait of over 60 s is honoured.
 */
export function retryAfterMs(headers: Headers | undefined, nowMs: number): number | null {
  const exact = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (exact >= 0) return Math.min(Math.round(exact), LONGEST_MS);
  const text = headers?.get('retry-after')?.trim() ?? '';
  if (text === '') return null;
  const seconds = Number(text);
  const wait = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(text) - nowMs;
  return wait >= 0 ? Math.min(Math.round(wait), LONGEST_MS) : null;
}
