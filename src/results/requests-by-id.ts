/** The requests of an input by their `custom_id`, for results that are shown beside them. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lineBlocks, RESULT_LINES, type LineSource } from '../jsonl/lines.js';
import { parseLine } from '../jsonl/parse-line.js';
import { lineId } from '../requests/custom-id.js';

interface Place {
  readonly offset: number;
  readonly length: number;
}

/** Memory holds the places of the lines only: the lines are copied to a temporary file, until `close`. */
export class RequestsById {
  readonly #folder = mkdtempSync(join(tmpdir(), 'llm-jobs-requests-'));
  readonly #file = openSync(join(this.#folder, 'lines'), 'w+');
  readonly #places = new Map<string, Place>();
  #end = 0;
  #linesBefore = 0;

  /** Reads the files of an input in their order. @throws errors of the sources; then nothing is left behind */
  static async of(sources: readonly LineSource[]): Promise<RequestsById> {
    const requests = new RequestsById();
    try {
      for (const source of sources) await requests.#read(source);
      return requests;
    } catch (error) {
      requests.close();
      throw error;
    }
  }

  async #read({ open }: LineSource): Promise<void> {
    let last = 0;
    for await (const lines of lineBlocks(open(), RESULT_LINES)) {
      for (const line of lines) {
        const { object } = parseLine(line);
        last = line.number;
        const id = object?.custom_id;
        const customId = typeof id === 'string' ? id : lineId(this.#linesBefore + line.number);
        this.#places.set(customId, { offset: this.#end, length: line.bytes.length });
        this.#end += writeSync(this.#file, line.bytes);
      }
    }
    this.#linesBefore += last;
  }

  /** Null if the input has no such request. */
  find(customId: string): unknown {
    const place = this.#places.get(customId);
    if (!place) return null;
    const bytes = Buffer.alloc(place.length);
    readSync(this.#file, bytes, 0, place.length, place.offset);
    return JSON.parse(bytes.toString('utf8'));
  }

  close(): void {
    closeSync(this.#file);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
