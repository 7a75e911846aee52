import { BATCH_LIMITS } from '../contract/limits.js';
import { JsonSkim } from './json-skim.js';
import type { Line } from './lines.js';
import { parseLine } from './parse-line.js';

/** Reads the `custom_id` of lines, and nothing else of them. */
export class CustomIdReader {
  readonly #skim = new JsonSkim([['custom_id']]);

  /** Null where the line has none that is a string. */
  read(line: Line): string | null {
    if (line.problem === null && this.#skim.skim(line.block, line.start, line.end)) return this.#skim.text(0);
    const id = parseLine(line, BATCH_LIMITS.lineBytes).object?.['custom_id'];
    return typeof id === 'string' ? id : null;
  }
}
