/** Size of the chunks in which files are read, written and compressed, in bytes. */
export const STREAM_CHUNK_BYTES = 256 * 1024;

/**
 * A buffer of a known size that is filled at any offset and drained chunk by chunk, so that each chunk can be freed
 * once it is written.
 */
export class ChunkedBuffer {
  readonly #chunks: (Buffer | null)[] = [];

  constructor(size: number) {
    for (let at = 0; at < size; at += STREAM_CHUNK_BYTES) {
      this.#chunks.push(Buffer.allocUnsafeSlow(Math.min(STREAM_CHUNK_BYTES, size - at)));
    }
  }

  /** Copies the source's bytes from `from` to `to` to this offset. */
  set(offset: number, source: Buffer, from: number, to: number): void {
    let index = Math.floor(offset / STREAM_CHUNK_BYTES);
    let offsetInChunk = offset % STREAM_CHUNK_BYTES;
    for (let at = from; at < to; offsetInChunk = 0) {
      at += source.copy(this.#chunks[index]!, offsetInChunk, at, to);
      index += 1;
    }
  }

  *drain(): Generator<Buffer> {
    for (let index = 0; index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index]!;
      this.#chunks[index] = null;
      yield chunk;
    }
  }
}
