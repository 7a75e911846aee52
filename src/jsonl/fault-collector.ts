import type { FaultReport, InputFault } from '../contract/input-fault.js';
import { MAX_LISTED_FAULTS } from '../contract/limits.js';
import { bounded } from '../contract/text.js';

/**
 * Keeps the first faults in full, by line and not by when they were found, and counts the rest. Faults of the file as a whole stand
 * before those of its lines.
 */
export class FaultCollector {
  #total = 0;
  readonly #ofFile: InputFault[] = [];
  readonly #ofLines: (InputFault & { line: number })[] = [];

  /** A fault of a line. The message is made only where it is kept, if it comes as a function. */
  line(line: number, message: string | (() => string), field?: string): void {
    this.#total++;
    const faults = this.#ofLines;
    const isFull = faults.length === MAX_LISTED_FAULTS;
    if (isFull && line >= faults.at(-1)!.line) return;
    if (isFull) faults.pop();
    const text = typeof message === 'string' ? message : message();
    const fault = { line, ...(field !== undefined && { field: bounded(field, 200) }), message: text };
    faults.splice(faults.findLastIndex((other) => other.line <= line) + 1, 0, fault);
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
