export interface StoredRecord {
  readonly id: string;
  /** Epoch ms. */
  readonly createdAt: number;
}

/** All objects of one kind, by id. */
export class RecordStore<T extends StoredRecord, Options extends { readonly seed: number }> {
  protected readonly options: Options;
  readonly #records = new Map<string, T>();
  #numbers = 0;

  constructor(options: Options) {
    this.options = options;
  }

  find(id: string): T | undefined {
    return this.#records.get(id);
  }

  /** Newest first. Records of the same time are listed by insertion, because a manual clock rarely moves. */
  list(): T[] {
    return this.all()
      .toReversed()
      .toSorted((a, b) => b.createdAt - a.createdAt);
  }

  /** In the order of insertion. */
  protected all(): T[] {
    return [...this.#records.values()];
  }

  protected insert(record: T): T {
    this.#records.set(record.id, record);
    return record;
  }

  protected remove(id: string): void {
    this.#records.delete(id);
  }

  /** The number of the next record. With the seed it fixes everything that is random about the record. */
  protected nextNumber(): number {
    const number = this.#numbers;
    this.#numbers += 1;
    return number;
  }
}
