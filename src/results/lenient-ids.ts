import type { IdTable } from '../jsonl/id-table.js';

/** Several ids could be meant. */
const AMBIGUOUS = -2;
const NUMERIC = /^\s*[-+]?\d+(\.\d+)?(e[-+]?\d+)?\s*$/i;

/**
 * Finds ids that a server wrote differently, where only one id can be meant: without the white space around them, or as
 * numbers. Its tables contain only ids that change in this way, which are few.
 */
export class LenientIds {
  readonly #ids: IdTable;
  #tables: { readonly trimmed: Map<string, number>; readonly numbers: Map<number, number> } | null = null;

  /** @param ids all ids, before the first search */
  constructor(ids: IdTable) {
    this.#ids = ids;
  }

  /** Returns the index of an id that is not in the table as it stands, or -1. */
  find(id: string | number): number {
    this.#tables ??= tablesOf(this.#ids);
    const exact = typeof id === 'number' ? String(id) : id.trim();
    const changed = typeof id === 'number' ? this.#tables.numbers.get(id) : this.#tables.trimmed.get(exact);
    const same = this.#ids.find(exact);
    if (changed === undefined) return same;
    return same === -1 && changed !== AMBIGUOUS ? changed : -1;
  }
}

function tablesOf(ids: IdTable) {
  const trimmed = new Map<string, number>();
  const numbers = new Map<number, number>();
  for (let index = 0; index < ids.size; index++) {
    const id = ids.at(index);
    if (id.trim() !== id) trimmed.set(id.trim(), trimmed.has(id.trim()) ? AMBIGUOUS : index);
    if (!NUMERIC.test(id) || String(Number(id)) === id) continue;
    numbers.set(Number(id), numbers.has(Number(id)) ? AMBIGUOUS : index);
  }
  return { trimmed, numbers };
}
