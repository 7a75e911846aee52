/** Most ids that are remembered: some 2 MB. A delivery that is repeated later than that only wakes a run once more. */
const MAX_IDS = 10_000;

/** What became of a delivery, and whether that is the end of it. */
interface Result<T> {
  readonly result: T;
  readonly isDone: boolean;
}

/**
 * The deliveries that were handled, so that one that comes twice is handled once. An id is remembered when its delivery
 * has been handled, not before: one that failed must be handled when it is delivered again.
 */
export class HandledIds<T> {
  readonly #handled = new Set<string>();
  readonly #underWay = new Map<string, Promise<Result<T>>>();
  readonly #max: number;

  constructor(max = MAX_IDS) {
    this.#max = max;
  }

  /**
   * Handles a delivery unless it has been. One that comes while the same is being handled has its result, or fails with
   * it.
   *
   * @returns null if the delivery was handled before
   */
  async once(id: string, handle: () => Promise<Result<T>>): Promise<T | null> {
    if (this.#handled.has(id)) return null;
    const underWay = this.#underWay.get(id);
    if (underWay !== undefined) {
      const { result, isDone } = await underWay;
      return isDone ? null : result;
    }
    const handling = handle();
    this.#underWay.set(id, handling);
    try {
      const { result, isDone } = await handling;
      if (isDone) this.#remember(id);
      return result;
    } finally {
      this.#underWay.delete(id);
    }
  }

  #remember(id: string): void {
    this.#handled.add(id);
    if (this.#handled.size <= this.#max) return;
    const [oldest] = this.#handled;
    if (oldest !== undefined) this.#handled.delete(oldest);
  }
}
