export interface LinkedSignal {
  /** Not given where there is no signal to follow. */
  readonly signal?: AbortSignal;
  /** To be called when the signal is no longer needed. */
  readonly unlink: () => void;
}

/**
 * A signal that is aborted with the first of several ones. Node keeps a signal of `AbortSignal.any` for ever if `fetch`
 * has listened to it, which costs a worker half a kilobyte for each request.
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
