/** Counts the bytes that wait for storage over all files being written: above the limit, the reader waits. */
export class WriteBackpressure {
  readonly #limit: number;
  #bytes = 0;
  #failure: { error: unknown } | null = null;
  #wake: (() => void) | null = null;

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes <= this.#limit) this.#wakeUp();
  }

  /** The first failure of any file is that of all. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wakeUp();
  }

  /** Whether `settled` would wait or throw. */
  get isPressing(): boolean {
    return this.#bytes > this.#limit || this.#failure !== null;
  }

  /** Resolves when storage has caught up; rejects with the first failure. */
  async settled(): Promise<void> {
    while (this.isPressing) {
      if (this.#failure) throw this.#failure.error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
