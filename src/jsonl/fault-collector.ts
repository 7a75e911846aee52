import type { FaultReport, InputFault } from '../jobs/fault.js';
import { MAX_LISTED_FAULTS } from '../jobs/limits.js';
import { bounded } from '../jobs/text.js';

/** Keeps the first faults in full and counts the rest. Faults of the file as a whole stand before those of its lines. */
export class FaultCollector {
  #total = 0;
  readonly #ofFile: InputFault[] = [];
  readonly #ofLines: InputFault[] = [];

  get total(): number {
    return this.#total;
  }

  /** Whether a further line fault would still be listed: no need to word one that is only counted. */
  get isListing(): boolean {
    return this.#ofLines.length < MAX_LISTED_FAULTS;
  }

  line(line: number, message: string, field?: string): void {
    this.#total++;
    if (!this.isListing) return;
    this.#ofLines.push({ line, ...(field !== undefined && { field: bounded(field, 200) }), message });
  }

  /** A fault of the file as a whole; `line` is where a limit was passed. */
  file(message: string, line?: number): void {
    this.#total++;
    this.#ofFile.push({ ...(line !== undefined && { line }), message });
  }

  report(): FaultReport {
    return { faults: [...this.#ofFile, ...this.#ofLines].slice(0, MAX_LISTED_FAULTS), total: this.#total };
  }
}

/** A `custom_id` as it may stand in a message: escaped, in quotes, and bounded. */
export function quoted(id: string): string {
  return JSON.stringify(bounded(id, 80));
}

/** A number as messages write it: `50,000`. */
export function counted(count: number): string {
  return count.toLocaleString('en-US');
}
