/**
 * The distinct ids of a file in the order they came, by index: some 30 bytes and the id itself each, for a million ids about a third of
 * what a `Map` of strings takes. Ids are kept whole and compared whole, so two of them are never taken for one.
 */
export class IdTable {
  /** Ids so far; the index of the next new one. */
  size = 0;
  #bytes = Buffer.allocUnsafeSlow(4_096);
  /** Where the id of each index ends in `#bytes`. */
  #ends = new Float64Array(64);
  /**
   * Open addressing, at most half full: pairs of a hash and an index + 1, where 0 is free. They lie side by side, since a look-up
   * costs what the memory takes to bring one line of cache.
   */
  #slots = new Int32Array(256);
  readonly #seed = Math.floor(Math.random() * 2 ** 31);

  /** The index of an id, which is new when it equals the `size` before. */
  add(id: string): number {
    const start = this.#used();
    const end = this.#encode(id, start);
    const hash = this.#hash(start, end);
    const slot = this.#slotOf(hash, start, end);
    const found = this.#slots[slot + 1]!;
    if (found > 0) return found - 1;

    const index = this.size++;
    if (index === this.#ends.length) {
      const ends = new Float64Array(index * 2);
      ends.set(this.#ends);
      this.#ends = ends;
    }
    this.#ends[index] = end;
    this.#slots[slot] = hash;
    this.#slots[slot + 1] = index + 1;
    if (this.size * 4 > this.#slots.length) this.#rehash();
    return index;
  }

  /** The index of an id, or -1. */
  find(id: string): number {
    const start = this.#used();
    const end = this.#encode(id, start);
    return this.#slots[this.#slotOf(this.#hash(start, end), start, end) + 1]! - 1;
  }

  /** The id of an index. */
  at(index: number): string {
    let id = '';
    const end = this.#ends[index]!;
    for (let at = index === 0 ? 0 : this.#ends[index - 1]!; at < end;) {
      const first = this.#bytes[at++]!;
      if (first < 0x80) id += String.fromCharCode(first);
      else if (first < 0xe0) id += String.fromCharCode(((first & 0x1f) << 6) | (this.#bytes[at++]! & 0x3f));
      else {
        const middle = this.#bytes[at++]! & 0x3f;
        id += String.fromCharCode(((first & 0x0f) << 12) | (middle << 6) | (this.#bytes[at++]! & 0x3f));
      }
    }
    return id;
  }

  #used(): number {
    return this.size === 0 ? 0 : this.#ends[this.size - 1]!;
  }

  /** Writes the id after the last one, each UTF-16 unit by itself, so that any string comes back as it was; tells where it ends. */
  #encode(id: string, start: number): number {
    if (start + id.length * 3 > this.#bytes.length) {
      const bytes = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, start + id.length * 3));
      this.#bytes.copy(bytes, 0, 0, start);
      this.#bytes = bytes;
    }
    const bytes = this.#bytes;
    let at = start;
    for (let i = 0; i < id.length; i++) {
      const unit = id.charCodeAt(i);
      if (unit < 0x80) bytes[at++] = unit;
      else if (unit < 0x800) {
        bytes[at++] = 0xc0 | (unit >> 6);
        bytes[at++] = 0x80 | (unit & 0x3f);
      } else {
        bytes[at++] = 0xe0 | (unit >> 12);
        bytes[at++] = 0x80 | ((unit >> 6) & 0x3f);
        bytes[at++] = 0x80 | (unit & 0x3f);
      }
    }
    return at;
  }

  /** FNV-1a with a mixing step at the end, so that the low bits depend on all of the id. */
  #hash(start: number, end: number): number {
    const bytes = this.#bytes;
    let hash = this.#seed;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    return hash ^ (hash >>> 13);
  }

  /** The place of the pair that has the id, or of the free one where it belongs. */
  #slotOf(hash: number, start: number, end: number): number {
    const slots = this.#slots;
    const mask = slots.length - 2;
    for (let slot = (hash << 1) & mask; ; slot = (slot + 2) & mask) {
      const found = slots[slot + 1]!;
      if (found === 0 || (slots[slot] === hash && this.#equals(found - 1, start, end))) return slot;
    }
  }

  #equals(index: number, start: number, end: number): boolean {
    const from = index === 0 ? 0 : this.#ends[index - 1]!;
    if (this.#ends[index]! - from !== end - start) return false;
    const bytes = this.#bytes;
    for (let at = start, other = from; at < end; at++, other++) if (bytes[at] !== bytes[other]) return false;
    return true;
  }

  #rehash(): void {
    const former = this.#slots;
    const slots = new Int32Array(former.length * 2);
    const mask = slots.length - 2;
    for (let from = 0; from < former.length; from += 2) {
      if (former[from + 1] === 0) continue;
      let slot = (former[from]! << 1) & mask;
      while (slots[slot + 1] !== 0) slot = (slot + 2) & mask;
      slots[slot] = former[from]!;
      slots[slot + 1] = former[from + 1]!;
    }
    this.#slots = slots;
  }
}
