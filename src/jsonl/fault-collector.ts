import type { FaultReport, InputFault } from '../contract/input-fault.js';
import { MAX_LISTED_FAULTS } from '../contract/limits.js';
import { bounded } from '../contract/text.js';

/**
 * Keeps the faults of the first lines in full, in whatever order they are found, and counts the rest. Faults of the
 * whole file come before those of its lines.
 */
export class FaultCollector {
  #total = 0;
  readonly #ofFile: InputFault[] = [];
  readonly #ofLines: (InputFault & { line: number })[] = [];

  /** Adds a fault of a line. A function is called only if the fault is kept. */
  addToLine(line: number, message: string | (() => string), field?: string): void {
    this.#total += 1;
    const faults = this.#ofLines;
    const isFull = faults.length === MAX_LISTED_FAULTS;
    if (isFull && line >= faults.at(-1)!.line) return;
    if (isFull) faults.pop();
    const text = typeof message === 'string' ? message : message();
    const fault = { line, ...(field !== undefined && { field: bounded(field, 200) }), message: text };
    faults.splice(faults.findLastIndex((other) => other.line <= line) + 1, 0, fault);
  }

  /** Adds a fault of the whole file; `line` is where a limit was exceeded. */
  addToFile(message: string, line?: number): void {
    this.#total += 1;
    this.#ofFile.push({ ...(line !== undefined && { line }), message });
  }

  get isEmpty(): boolean {
    return this.#total === 0;
  }

  report(): FaultReport {
    return { faults: [...this.#ofFile, ...this.#ofLines].slice(0, MAX_LISTED_FAULTS), total: this.#total };
  }
}

/** A `custom_id` for a message: escaped, in quotes, and bounded. */
export function quoted(id: string): string {
  return JSON.stringify(bounded(id, 80));
}

/** A number for a message: `50,000`. */
export function counted(count: number): string {
  return count.toLocaleString('en-US');
}
