/** The records of parts that wait and of parts that are enqueued, and sums of them. */
import type { HolderRun } from '../../contract/activities/token-budget.js';
import type { BudgetState, CapacityRecord } from '../../contract/token-budget.js';
import type { Enqueued } from './learnt-limits.js';

/**
 * Size of all records together, about 3,500 of them: the state must stay far below the 2 MB of an argument. A request
 * beyond it is not kept, and comes again.
 */
export const MAX_RECORDS_BYTES = 1_000_000;
/** Bytes of a record besides its texts. */
const FIXED_BYTES = 200;

export type Held = BudgetState['leases'][number];
export type Waiting = BudgetState['queue'][number];
/** A run, by its workflow id and the first run id of its chain. */
export type Holder = HolderRun;

const NOTHING: Enqueued = { tokens: 0, requests: 0 };

export class Records {
  readonly #leases = new Map<string, Held>();
  readonly #queue = new Map<string, Waiting>();
  /** By model. */
  readonly #enqueued = new Map<string, Enqueued & { readonly parts: number }>();
  /** Records by model and group, with the weight of the group's last one. */
  readonly #groups = new Map<string, Map<string, { parts: number; weight: number }>>();
  /** Number of waiting records by group. */
  readonly #waiting = new Map<string, number>();
  #bytes = 0;

  get leases(): Held[] {
    return [...this.#leases.values()];
  }

  /** Oldest first. */
  get queue(): Waiting[] {
    return [...this.#queue.values()];
  }

  get all(): CapacityRecord[] {
    return [...this.#leases.values(), ...this.#queue.values()];
  }

  get count(): number {
    return this.#leases.size + this.#queue.size;
  }

  lease(lease: string): Held | undefined {
    return this.#leases.get(lease);
  }

  isWaiting(lease: string): boolean {
    return this.#queue.has(lease);
  }

  enqueuedOf(model: string): Enqueued {
    return this.#enqueued.get(model) ?? NOTHING;
  }

  isAnyEnqueued(model: string): boolean {
    return this.#enqueued.has(model);
  }

  has(model: string, group: string): boolean {
    return this.#groups.get(model)?.has(group) ?? false;
  }

  hasGroup(group: string): boolean {
    return [...this.#groups.values()].some((groups) => groups.has(group));
  }

  /** The weights of the groups that have or wait for something of a model. */
  weightsOf(model: string): Map<string, number> {
    return new Map([...(this.#groups.get(model) ?? [])].map(([group, { weight }]) => [group, weight]));
  }

  hold(held: Held): void {
    this.drop(held.lease);
    this.#leases.set(held.lease, held);
    this.#note(held, 1);
    this.#add(held, 1);
  }

  enqueue(waiting: Waiting): void {
    this.drop(waiting.lease);
    this.#queue.set(waiting.lease, waiting);
    this.#note(waiting, 1);
    this.#countWaiting(groupOf(waiting), 1);
  }

  markBlocked(waiting: Waiting, now: number): void {
    // The place in the queue stays.
    this.#queue.set(waiting.lease, { ...waiting, blockedSince: now });
  }

  drop(lease: string): void {
    const waiting = this.#queue.get(lease);
    if (waiting) {
      this.#note(waiting, -1);
      this.#countWaiting(groupOf(waiting), -1);
    }
    this.#queue.delete(lease);
    const held = this.#leases.get(lease);
    if (!held) return;
    this.#leases.delete(lease);
    this.#note(held, -1);
    this.#add(held, -1);
  }

  dropWhere(isDropped: (record: CapacityRecord) => boolean): void {
    for (const record of this.all) if (isDropped(record)) this.drop(record.lease);
  }

  /**
   * Whether there is space for a record. Where there is none, the group with the most waiting parts loses its last ones
   * to a group that has fewer: their holders ask again.
   */
  makeSpaceFor(record: CapacityRecord): boolean {
    const fits = () => this.#bytes + sizeOf(record) <= MAX_RECORDS_BYTES;
    if (fits()) return true;
    if (record.isCounted) return false;
    const own = this.#waiting.get(groupOf(record)) ?? 0;
    const [group, count] = [...this.#waiting].reduce((a, b) => (b[1] > a[1] ? b : a), ['', 0]);
    if (count <= own + 1) return false;
    const most = this.queue.filter((waiting) => groupOf(waiting) === group);
    while (!fits() && most.length > own + 1) this.drop(most.pop()!.lease);
    return fits();
  }

  #countWaiting(group: string, sign: 1 | -1): void {
    const count = (this.#waiting.get(group) ?? 0) + sign;
    if (count === 0) this.#waiting.delete(group);
    else this.#waiting.set(group, count);
  }

  #note(record: CapacityRecord, sign: 1 | -1): void {
    this.#bytes += sign * sizeOf(record);
    const { model } = record;
    const groups = this.#groups.get(model) ?? new Map<string, { parts: number; weight: number }>();
    const before = groups.get(groupOf(record));
    const parts = (before?.parts ?? 0) + sign;
    const weight = sign > 0 ? (record.weight ?? 1) : (before?.weight ?? 1);
    if (parts > 0) groups.set(groupOf(record), { parts, weight });
    else groups.delete(groupOf(record));
    if (groups.size > 0) this.#groups.set(model, groups);
    else this.#groups.delete(model);
  }

  #add({ model, tokens, requests = 0 }: CapacityRecord, sign: 1 | -1): void {
    const before = this.#enqueued.get(model) ?? { ...NOTHING, parts: 0 };
    const parts = before.parts + sign;
    if (parts === 0) this.#enqueued.delete(model);
    else {
      this.#enqueued.set(model, {
        parts,
        tokens: before.tokens + sign * tokens,
        requests: before.requests + sign * requests,
      });
    }
  }
}

/** What shares the room with others. */
export const groupOf = ({ group, holder }: CapacityRecord): string => group ?? holder;

/** Tells one run from another. */
export const holderKey = ({ holder, holderRun }: Holder): string => JSON.stringify([holder, holderRun ?? null]);

export function groupBy<T>(values: Iterable<T>, keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group) group.push(value);
    else groups.set(keyOf(value), [value]);
  }
  return groups;
}

function sizeOf({ lease, holder, holderRun = '', group = '', groupRun = '', model }: CapacityRecord): number {
  return FIXED_BYTES + [lease, holder, holderRun, group, groupRun, model].reduce((sum, text) => sum + bytesOf(text), 0);
}

/** At most so many bytes as JSON. */
const bytesOf = (text: string): number => (/^[\w ./:-]*$/.test(text) ? text.length : text.length * 6);
