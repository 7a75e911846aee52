/** The workflow's clock in the unit of the API, which is epoch seconds. */

/** Now, in epoch seconds. In a workflow `Date.now()` is deterministic: it is the time of the current workflow task. */
export function now(): number {
  return Math.floor(Date.now() / 1_000);
}

/** A moment in epoch seconds as ISO 8601, without milliseconds. */
export function iso(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z');
}
