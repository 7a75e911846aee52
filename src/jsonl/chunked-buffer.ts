import { PIECE } from './line-writer.js';

/** Bytes of a known number that are filled in at any place and given away piece by piece: in one buffer the last one would keep all. */
export class ChunkedBuffer {
  readonly #pieces: (Buffer | null)[] = [];

  constructor(size: number) {
    for (let at = 0; at < size; at += PIECE) this.#pieces.push(Buffer.allocUnsafeSlow(Math.min(PIECE, size - at)));
  }

  /** Puts the source's bytes from `from` up to `to` at this place. */
  set(place: number, source: Buffer, from: number, to: number): void {
    let index = Math.floor(place / PIECE);
    let offset = place % PIECE;
    for (let at = from; at < to; offset = 0) at += source.copy(this.#pieces[index++]!, offset, at, to);
  }

  *drain(): Generator<Buffer> {
    for (let index = 0; index < this.#pieces.length; index++) {
      const piece = this.#pieces[index]!;
      this.#pieces[index] = null;
      yield piece;
    }
  }
}
