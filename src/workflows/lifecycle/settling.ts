/** A promise that nobody need wait for, and how it ended. */
export interface Settling<T> {
  /** Returns the value or throws the error; null while there is none. */
  outcome: (() => Promise<T>) | null;
}

export function settling<T>(promise: Promise<T>): Settling<T> {
  const state: Settling<T> = { outcome: null };
  promise.then(
    (value) => (state.outcome = () => Promise.resolve(value)),
    (error: unknown) => (state.outcome = () => Promise.reject(error)),
  );
  return state;
}
