/**
 * The distinct ids of a file in the order they came, by index: some 25 bytes and the id itself each, for a million ids about a third of
 * what a `Map` of strings takes. Ids are kept whole and compared whole, so two of them are never taken for one.
 */
export class IdTable {
  /** Ids so far; the index of the next one. */
  size = 0;
  /** Ids that the slots know; the others were pushed since. */
  #settled = 0;
  #bytes = Buffer.allocUnsafeSlow(4_096);
  /** By index: where the id ends in `#bytes`. */
  #ends = new Int32Array(64);
  /** By index. */
  #hashes = new Int32Array(64);
  /** By slot, open addressing, at most half full: the index. */
  #slots = new Int32Array(128);
  /**
   * By slot: 0 where it is free, or else seven bits of the hash. A look-up waits for memory more than for anything else, and this
   * table is small enough to stay in the processor's cache; the others are touched only when it says so.
   */
  #tags = new Uint8Array(128);
  readonly #seed = Math.floor(Math.random() * 2 ** 31);

  /** The index of an id, which is new when it equals the `size` before. */
  add(id: string): number {
    const start = this.#used();
    const end = this.#encode(id, start);
    const hash = this.#hash(start, end);
    const slot = this.#slotOf(hash, start, end);
    if (this.#tags[slot] !== 0) return this.#slots[slot]!;
    const index = this.#append(end, hash);
    this.#fill(slot, index);
    this.#settled = this.size;
    this.#makeRoom();
    return index;
  }

  /**
   * Appends an id without looking whether it is new: `settle` will, and has to come before any `add` or `find`. Between lines that
   * are parsed each look-up would wait for memory; many in a row cost a third.
   */
  push(id: string): void {
    const start = this.#used();
    const end = this.#encode(id, start);
    this.#append(end, this.#hash(start, end));
  }

  /** The same with an id of ASCII, which is written here as it stands in the bytes from `from` up to `to`. */
  pushPlain(bytes: Uint8Array, from: number, to: number): void {
    const start = this.#used();
    this.#reserve(start, to - from);
    const own = this.#bytes;
    let end = start;
    for (let at = from; at < to; at++) own[end++] = bytes[at]!;
    this.#append(end, this.#hash(start, end));
  }

  /** Takes in the ids that were pushed; tells each that is not new, with the index where it stood first. */
  settle(tellRepeated: (index: number, first: number) => void): void {
    this.#makeRoom();
    for (; this.#settled < this.size; this.#settled++) {
      const index = this.#settled;
      const slot = this.#slotOf(this.#hashes[index]!, this.#startOf(index), this.#ends[index]!);
      if (this.#tags[slot] === 0) this.#fill(slot, index);
      else tellRepeated(index, this.#slots[slot]!);
    }
  }

  /** The index of an id, or -1. */
  find(id: string): number {
    const start = this.#used();
    const end = this.#encode(id, start);
    const slot = this.#slotOf(this.#hash(start, end), start, end);
    return this.#tags[slot] === 0 ? -1 : this.#slots[slot]!;
  }

  /** The id of an index. */
  at(index: number): string {
    let id = '';
    const end = this.#ends[index]!;
    for (let at = this.#startOf(index); at < end;) {
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

  /** The indices in the order of their ids, UTF-16 unit by unit as `<` compares strings. No string is made. */
  sorted(): Uint32Array {
    return Uint32Array.from({ length: this.size }, (_, index) => index).toSorted((a, b) => this.#compare(a, b));
  }

  #compare(a: number, b: number): number {
    const bytes = this.#bytes;
    const endOfA = this.#ends[a]!;
    const endOfB = this.#ends[b]!;
    let atA = this.#startOf(a);
    let atB = this.#startOf(b);
    // The way ids are written keeps their order.
    while (atA < endOfA && atB < endOfB) {
      const difference = bytes[atA++]! - bytes[atB++]!;
      if (difference !== 0) return difference;
    }
    return endOfA - atA - (endOfB - atB);
  }

  #used(): number {
    return this.#startOf(this.size);
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : this.#ends[index - 1]!;
  }

  #append(end: number, hash: number): number {
    const index = this.size++;
    if (index === this.#ends.length) {
      this.#ends = doubled(this.#ends);
      this.#hashes = doubled(this.#hashes);
    }
    this.#ends[index] = end;
    this.#hashes[index] = hash;
    return index;
  }

  #fill(slot: number, index: number): void {
    this.#tags[slot] = tagOf(this.#hashes[index]!);
    this.#slots[slot] = index;
  }

  /** Writes the id after the last one, each UTF-16 unit by itself, so that any string comes back as it was; tells where it ends. */
  #encode(id: string, start: number): number {
    this.#reserve(start, id.length * 3);
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

  #reserve(start: number, length: number): void {
    if (start + length <= this.#bytes.length) return;
    const bytes = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, start + length));
    this.#bytes.copy(bytes, 0, 0, start);
    this.#bytes = bytes;
  }

  /** FNV-1a with a mixing step at the end, so that the low bits depend on all of the id. */
  #hash(start: number, end: number): number {
    const bytes = this.#bytes;
    let hash = this.#seed;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    return hash ^ (hash >>> 13);
  }

  /** The slot that has the id, or the free one where it belongs. */
  #slotOf(hash: number, start: number, end: number): number {
    const tags = this.#tags;
    const tag = tagOf(hash);
    const mask = tags.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const found = tags[slot]!;
      if (found === 0) return slot;
      if (found !== tag) continue;
      const index = this.#slots[slot]!;
      if (this.#hashes[index] === hash && this.#equals(index, start, end)) return slot;
    }
  }

  #equals(index: number, start: number, end: number): boolean {
    const from = this.#startOf(index);
    if (this.#ends[index]! - from !== end - start) return false;
    const bytes = this.#bytes;
    for (let at = start, other = from; at < end; at++, other++) if (bytes[at] !== bytes[other]) return false;
    return true;
  }

  /** Keeps the slots at most half full. */
  #makeRoom(): void {
    let length = this.#slots.length;
    if (this.size * 2 <= length) return;
    while (this.size * 2 > length) length *= 2;
    this.#slots = new Int32Array(length);
    this.#tags = new Uint8Array(length);
    const mask = length - 1;
    for (let index = 0; index < this.#settled; index++) {
      let slot = this.#hashes[index]! & mask;
      while (this.#tags[slot] !== 0) slot = (slot + 1) & mask;
      this.#fill(slot, index);
    }
  }
}

/** From the high bits, since the low ones choose the slot. */
function tagOf(hash: number): number {
  return (hash >>> 25) | 0x80;
}

function doubled(from: Int32Array): Int32Array<ArrayBuffer> {
  const to = new Int32Array(from.length * 2);
  to.set(from);
  return to;
}
