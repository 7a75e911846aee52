import { IdTable } from './id-table.js';

/** The ids of an input, each with its line, to find those that stand twice. */
export class IdsByLine {
  readonly #ids = new IdTable();
  /** By the id's index. */
  #lines = new Uint32Array(1_024);

  push(id: string, line: number): void {
    this.#ids.push(id);
    this.#locate(line);
  }

  /** An id of ASCII, as it stands in the bytes from `start` up to `end`: no string is made of it. */
  pushPlain(bytes: Uint8Array, start: number, end: number, line: number): void {
    this.#ids.pushPlain(bytes, start, end);
    this.#locate(line);
  }

  /** Tells each id that stood before, and on which line. Done for all at once: see `IdTable.push`. */
  settle(tellRepeated: (line: number, firstLine: number, id: () => string) => void): void {
    this.#ids.settle((index, first) => {
      tellRepeated(this.#lines[index]!, this.#lines[first]!, () => this.#ids.at(index));
    });
  }

  #locate(line: number): void {
    const index = this.#ids.size - 1;
    if (index === this.#lines.length) {
      const grown = new Uint32Array(index * 2);
      grown.set(this.#lines);
      this.#lines = grown;
    }
    this.#lines[index] = line;
  }
}
