import { grown } from '../jsonl/id-table.js';

/**
 * Tells whether two lines of one request are the same line, delivered twice, or two answers that were paid for: by the
 * lines' own ids. Memory: four bytes for each request.
 */
export class LineIds {
  /** By index of the request: hash of the id of its first line; 0 where it has none. */
  #first: Uint32Array<ArrayBuffer> = new Uint32Array(64);
  /** Hashes of further lines, by index. */
  readonly #further = new Map<number, Set<number>>();

  /** Notes the id of a line, and returns whether no other line of the request had it. A line without an id is not new. */
  isNew(index: number, id: string | null): boolean {
    const hash = hashOf(id);
    if (hash === 0) return false;
    this.#first = grown(this.#first, index + 1);
    const first = this.#first[index]!;
    if (first === 0) this.#first[index] = hash;
    if (first === 0 || first === hash) return first === 0;
    const further = this.#further.get(index) ?? new Set();
    this.#further.set(index, further);
    if (further.has(hash)) return false;
    further.add(hash);
    return true;
  }
}

/** FNV-1a; 0 for no id. */
function hashOf(id: string | null): number {
  if (id === null) return 0;
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return hash >>> 0 || 1;
}
