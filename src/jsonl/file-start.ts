/** The first bytes of a file, by which its encoding is recognised. */
export class FileStart {
  #bytes = Buffer.alloc(0);

  push(chunk: Uint8Array): void {
    if (this.#bytes.length < 4) this.#bytes = Buffer.concat([this.#bytes, chunk.subarray(0, 4 - this.#bytes.length)]);
  }

  /** Whether the file begins with the byte order mark of UTF-8, which providers refuse. */
  get hasByteOrderMark(): boolean {
    return this.#bytes.length >= MARK_BYTES && this.#bytes.readUIntBE(0, MARK_BYTES) === 0xefbbbf;
  }

  /** Why no line of the file can be read; null if it is not UTF-16. */
  get problem(): string | null {
    if (this.#bytes.length < 2) return null;
    const [first, second] = this.#bytes;
    const hasMark = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
    return hasMark || first === 0 || second === 0 ? 'the file is UTF-16; save it as UTF-8' : null;
  }
}

/** Length of the byte order mark of UTF-8, in bytes. */
export const MARK_BYTES = 3;

/** The chunks without the byte order mark at their start. */
export async function* withoutMark(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let toSkip = MARK_BYTES;
  for await (const chunk of source) {
    const rest = chunk.subarray(Math.min(toSkip, chunk.length));
    toSkip -= chunk.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}
