export interface LinkedSignal {
  /** Not given where there is no signal to follow. */
  readonly signal?: AbortSignal;
  /** To be called when the signal is no longer needed. */
  readonly unlink: () => void;
}

/**
 * Combines several signals into one that aborts as soon as any of them does. `AbortSignal.any` would leak: once `fetch`
 * has listened to its signal, Node never frees it, at a cost of up to half a kilobyte per request.
 */
export function linkedSignal(signals: readonly AbortSignal[]): LinkedSignal {
  const [only] = signals;
  if (only === undefined) return { unlink: () => undefined };
  if (signals.length === 1) return { signal: only, unlink: () => undefined };
  const controller = new AbortController();
  const follow = () => {
    const aborted = signals.find((signal) => signal.aborted);
    if (aborted) controller.abort(aborted.reason);
  };
  const unlink = () => {
    for (const signal of signals) signal.removeEventListener('abort', follow);
  };
  for (const signal of signals) signal.addEventListener('abort', follow);
  follow();
  return { signal: controller.signal, unlink };
}
