/** The offsets of ids are 32-bit integers. */
const MAX_BYTES = 2 ** 31 - 1;

/** An input has more ids than a table can hold: some 60 million UUIDs. */
export class TooManyIdsError extends Error {
  constructor(ids: number, maxBytes: number) {
    const [count, limit] = [ids, maxBytes].map((number) => number.toLocaleString('en-US'));
    super(`the custom_ids of the first ${count} requests have ${limit} bytes, which is the limit: divide the input`);
    this.name = 'TooManyIdsError';
  }
}

/**
 * The distinct ids of a file, each with an index in the order in which they came. Memory is about 25 bytes and the id
 * itself for each, up to twice as much when a buffer has just doubled: 60 to 80 % of a `Map` of strings. A million
 * short ids take about a third of the time. Ids are stored and compared in full, so different ids never count as the
 * same one.
 */
export class IdTable {
  /** Number of ids; the index of the next one. */
  size = 0;
  /** Ids that are in the slots; the others were pushed since. */
  #settled = 0;
  #bytes = Buffer.allocUnsafeSlow(4_096);
  /** By index: where the id ends in `#bytes`. */
  #ends = new Int32Array(64);
  /** By index. */
  #hashes = new Int32Array(64);
  /** By slot, open addressing, at most half full: the index. */
  #slots = new Int32Array(128);
  /**
   * By slot: 0 where it is free, otherwise seven bits of the hash. Most of a look-up is waiting for memory: this table
   * is small enough to stay in the processor's cache, and the others are read only on a match.
   */
  #tags = new Uint8Array(128);
  readonly #seed = Math.floor(Math.random() * 2 ** 31);
  readonly #maxBytes: number;

  /** @param maxBytes of all ids together. `push` and `add` throw `TooManyIdsError` beyond it. */
  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Returns the index of an id, which is new if the index equals the former `size`. */
  add(id: string): number {
    const start = this.#used();
    const end = this.#encode(id, start);
    const hash = this.#hash(start, end);
    const slot = this.#slotOf(hash, start, end);
    if (this.#tags[slot] !== 0) return this.#slots[slot]!;
    const index = this.#append(end, hash);
    this.#fill(slot, index);
    this.#settled = this.size;
    this.#growSlots();
    return index;
  }

  /**
   * Appends an id without checking whether it is new. `settle` checks, and must be called before `add` or `find`. Each
   * check waits for memory when it comes between two lines; many checks together take a third of the time.
   */
  push(id: string): void {
    const start = this.#used();
    const end = this.#encode(id, start);
    this.#append(end, this.#hash(start, end));
  }

  /**
   * Checks the ids that were pushed; calls back for each one that is not new, with the index of its first occurrence.
   */
  settle(onDuplicate: (index: number, first: number) => void): void {
    this.#growSlots();
    for (; this.#settled < this.size; this.#settled++) {
      const index = this.#settled;
      const slot = this.#slotOf(this.#hashes[index]!, this.#startOf(index), this.#ends[index]!);
      if (this.#tags[slot] === 0) this.#fill(slot, index);
      else onDuplicate(index, this.#slots[slot]!);
    }
  }

  /** Returns the index of an id, or -1. */
  find(id: string): number {
    const start = this.#used();
    const end = this.#encode(id, start);
    const slot = this.#slotOf(this.#hash(start, end), start, end);
    return this.#tags[slot] === 0 ? -1 : this.#slots[slot]!;
  }

  /** Returns the id with an index. */
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

  /** Returns the indices sorted by their ids, as `<` compares strings, without building strings. */
  sorted(): Uint32Array {
    return Uint32Array.from({ length: this.size }, (_, index) => index).toSorted((a, b) => this.#compare(a, b));
  }

  #compare(a: number, b: number): number {
    const bytes = this.#bytes;
    const endOfA = this.#ends[a]!;
    const endOfB = this.#ends[b]!;
    let atA = this.#startOf(a);
    let atB = this.#startOf(b);
    // The encoding keeps the order of the ids.
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
    if (end > this.#maxBytes) throw new TooManyIdsError(this.size, this.#maxBytes);
    const index = this.size++;
    if (index === this.#ends.length) {
      this.#ends = grown(this.#ends, this.size);
      this.#hashes = grown(this.#hashes, this.size);
    }
    this.#ends[index] = end;
    this.#hashes[index] = hash;
    return index;
  }

  #fill(slot: number, index: number): void {
    this.#tags[slot] = tagOf(this.#hashes[index]!);
    this.#slots[slot] = index;
  }

  /**
   * Writes the id behind the last one and returns where it ends. Each UTF-16 unit is encoded separately, so any string
   * survives.
   */
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
    const doubled = Math.min(this.#bytes.length * 2, MAX_BYTES);
    const bytes = Buffer.allocUnsafeSlow(Math.max(doubled, start + length));
    this.#bytes.copy(bytes, 0, 0, start);
    this.#bytes = bytes;
  }

  /** FNV-1a, and a final mixing step so that the low bits depend on the whole id. */
  #hash(start: number, end: number): number {
    const bytes = this.#bytes;
    let hash = this.#seed;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    return hash ^ (hash >>> 13);
  }

  /** Returns the slot that has the id, or the free one where it belongs. */
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
  #growSlots(): void {
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

/** Seven of the high bits, since the low ones choose the slot. */
function tagOf(hash: number): number {
  return (hash >>> 25) | 0x80;
}

/** The ids of an input with their line numbers, to find duplicates. */
export class IdsByLine {
  readonly #ids = new IdTable();
  /** By index of the id. */
  #lines = new Uint32Array(1_024);

  push(id: string, line: number): void {
    this.#ids.push(id);
    const { size } = this.#ids;
    this.#lines = grown(this.#lines, size);
    this.#lines[size - 1] = line;
  }

  /** Calls back for each duplicate, with the line of its first occurrence. */
  findDuplicates(onDuplicate: (line: number, firstLine: number, id: () => string) => void): void {
    this.#ids.settle((index, first) => {
      onDuplicate(this.#lines[index]!, this.#lines[first]!, () => this.#ids.at(index));
    });
  }
}

type GrowingArray = Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

/** Returns an array with room for so many elements: the same one, or a copy with at least twice its length. */
export function grown<Values extends GrowingArray>(array: Values, length: number): Values {
  if (length <= array.length) return array;
  const copy = new (array.constructor as new (length: number) => Values)(Math.max(length, array.length * 2));
  copy.set(array);
  return copy;
}
