import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

const BUFFER_CHARACTERS = 1 << 18;

/** Writes text to a file in large pieces, with bounded memory. The file is created by the first write. */
export class TextWriter {
  readonly path: string;
  #stream: WriteStream | undefined;
  #pending = '';

  constructor(path: string) {
    this.path = path;
  }

  /** Whether anything was written. */
  get used(): boolean {
    return this.#stream !== undefined || this.#pending !== '';
  }

  /** Resolves when more can be written. */
  async write(text: string): Promise<void> {
    this.#pending += text;
    if (this.#pending.length >= BUFFER_CHARACTERS) await this.#flush();
  }

  async close(): Promise<void> {
    await this.#flush();
    this.#stream?.end();
    if (this.#stream !== undefined) await finished(this.#stream);
  }

  async #flush(): Promise<void> {
    this.#stream ??= createWriteStream(this.path);
    const text = this.#pending;
    this.#pending = '';
    if (!this.#stream.write(text)) await once(this.#stream, 'drain');
  }
}
