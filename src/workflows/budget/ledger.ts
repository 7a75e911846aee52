/**
 * The budget's books: who holds how much of what, who waits, and who is next. No I/O and no clock of its own, so that
 * its rules can be tested alone. Moments are epoch ms.
 */
import {
  CAPACITY_UNITS,
  type BudgetState,
  type CapacityRecord,
  type CapacityRefusal,
  type CapacityRequest,
  type CapacityUnit,
  type LearntLimit,
  type LeaseStatus,
} from '../../contract/token-budget.js';
import { CreateRate } from './create-rate.js';
import { LearntLimits, type Enqueued } from './learnt-limits.js';
import { Pauses } from './pauses.js';
import { groupBy, groupOf, holderKey, Records, type Holder, type Waiting } from './records.js';
import { Shares } from './shares.js';

const MINUTE_MS = 60_000;

/**
 * A part that is next and does not fit lets smaller ones pass for so long, and those of other groups for less if they
 * get ahead. Then nothing else is granted until it fits.
 */
export const RESERVE_AFTER_MS = 10 * MINUTE_MS;
/** How long the parts of a holder wait for its answer which leases it has. */
const ANSWER_WITHIN_MS = MINUTE_MS;
/** The largest share of a limit that can be left to other users. */
const MAX_RESERVED_SHARE = 0.9;

/** What is to be sent, and when to decide again. */
export interface Decision {
  /** Leases that are granted, for the first time or again. */
  readonly grants: readonly CapacityRecord[];
  /** Holders that are to say which leases they have. */
  readonly asks: readonly string[];
  /** Infinity where only a message can change anything. */
  readonly nextAt: number;
}

/** A limit and where it comes from; without a known limit, Infinity and null. */
export interface Limit {
  readonly value: number;
  readonly whence: LearntLimit['whence'] | 'spec' | null;
}

/** A budget is new for so long: then every part that waited in the one before has asked it. */
const NEW_FOR_MS = 15 * 60_000;

export class Ledger {
  readonly #records = new Records();
  readonly #limits: LearntLimits;
  readonly #pauses: Pauses;
  readonly #shares: Map<string, Shares>;
  readonly #creates: Shares;
  readonly #rate: CreateRate;
  #reservedShare: number;
  /** Leases that were requested again although they are held: their holders missed the grant. */
  #again: CapacityRecord[] = [];
  /** When the holders were asked that have not answered. */
  readonly #asked = new Map<string, number>();
  #asks: string[] = [];
  /** Bulk batches that were asked to let their parts tell what they hold. */
  readonly #askedGroups = new Set<string>();
  /** Until when a new budget asks; null before its first request. One that continues knows what is held. */
  #asksUntil: number | null;

  constructor(state?: Partial<BudgetState>) {
    this.#asksUntil = state === undefined ? null : 0;
    this.#limits = new LearntLimits(state?.limits);
    this.#pauses = new Pauses(state?.pauses);
    this.#shares = new Map(state?.shares?.map(([model, shares]) => [model, new Shares(shares)]));
    this.#creates = new Shares(state?.creates);
    this.#rate = new CreateRate(state?.grants, state?.createsPerHour);
    this.#reservedShare = state?.reservedShare ?? 0;
    for (const held of state?.leases ?? []) this.#records.hold(held);
    for (const waiting of state?.queue ?? []) this.#records.enqueue(waiting);
  }

  get state(): Omit<BudgetState, 'isEnding'> {
    return {
      leases: this.#records.leases,
      queue: this.#records.queue,
      limits: this.#limits.state,
      pauses: this.#pauses.state,
      shares: [...this.#shares].map(([model, shares]) => [model, shares.state]),
      creates: this.#creates.state,
      grants: this.#rate.state,
      createsPerHour: this.#rate.limit,
      reservedShare: this.#reservedShare,
    };
  }

  get isEmpty(): boolean {
    return this.#records.count === 0;
  }

  statusOf(lease: string): LeaseStatus {
    if (this.#records.lease(lease)) return 'held';
    return this.#records.isWaiting(lease) ? 'waiting' : 'unknown';
  }

  get rate(): CreateRate {
    return this.#rate;
  }

  enqueuedOf(model: string): Enqueued {
    return this.#records.enqueuedOf(model);
  }

  /** Runs that hold or wait, at most so many. Those that are only counted come last. */
  holders(max: number): Holder[] {
    const [asking, counted] = [false, true].map((isCounted) =>
      this.#records.all.filter((record) => (record.isCounted ?? false) === isCounted),
    );
    const firsts = [...groupBy([...asking!, ...counted!], holderKey).values()].slice(0, max);
    return firsts.map(([record]) => {
      const { holder, holderRun, group, groupRun } = record!;
      return {
        holder,
        ...(holderRun !== undefined && { holderRun }),
        ...(group !== undefined && groupRun !== undefined && { group, groupRun }),
      };
    });
  }

  request(request: CapacityRequest, now: number): void {
    const { holding = 0, createsPerHour, reservedShare, ...record } = request;
    if (createsPerHour !== undefined) this.#rate.limit = createsPerHour;
    if (reservedShare !== undefined) this.#reservedShare = Math.min(MAX_RESERVED_SHARE, reservedShare);
    const held = this.#records.lease(record.lease);
    if (held && !held.isCounted) this.#again.push(held);
    if (held || this.#records.isWaiting(record.lease) || !this.#records.makeSpaceFor(record)) return;
    this.#join(record);
    if (record.isCounted) {
      // A run that enqueues by itself has one batch at a time.
      this.#records.dropWhere((other) => other.isCounted === true && other.holder === record.holder);
      this.#grant(record, now);
      return;
    }
    if (holding > 0 && !this.#asked.has(record.holder) && !this.#isKnown(record)) {
      this.#asked.set(record.holder, now);
      this.#asks.push(record.holder);
    }
    if (record.group !== undefined) this.#askGroup(record.group, now);
    this.#records.enqueue({ ...record, at: now });
  }

  /** The runs of a bulk batch's parts do not ask any more once they hold something, so that it has to reach them. */
  #askGroup(group: string, now: number): void {
    this.#asksUntil ??= now + NEW_FOR_MS;
    if (now > this.#asksUntil || this.#askedGroups.has(group)) return;
    this.#askedGroups.add(group);
    this.#asks.push(group);
  }

  /** What a holder has, in its own words: a budget that was terminated has forgotten it. */
  register(records: readonly CapacityRecord[], now: number): void {
    for (const record of records) {
      this.#asked.delete(record.holder);
      if (this.#records.lease(record.lease) || !this.#records.makeSpaceFor(record)) continue;
      this.#join(record);
      this.#records.hold({ ...record, at: now });
    }
  }

  /** The batch has ended, or is not submitted. */
  release(lease: string): void {
    const held = this.#records.lease(lease);
    if (held) this.#pauses.succeed(held.model);
    this.#records.drop(lease);
  }

  /** The grant did not reach its holder. */
  giveBack(lease: string): void {
    this.#records.drop(lease);
  }

  refuse(refusal: CapacityRefusal, now: number): void {
    const held = this.#records.lease(refusal.lease);
    this.#records.drop(refusal.lease);
    const refused = { tokens: held?.tokens ?? 0, requests: held?.requests ?? 0 };
    this.#limits.learn(refusal, this.enqueuedOf(refusal.model), refused, now);
    this.#pauses.pause(refusal.model, held?.at ?? now, now);
  }

  /** Drops what the runs that have ended hold and wait for. */
  dropHolders(ended: readonly Holder[]): void {
    const keys = new Set(ended.map(holderKey));
    this.#records.dropWhere((record) => keys.has(holderKey(record)));
    for (const { holder } of ended) this.#asked.delete(holder);
  }

  /** Grants whatever fits now. */
  decide(now: number): Decision {
    this.#limits.forgetOld(now);
    this.#limits.raise(now);
    this.#pauses.forgetOld(now);
    for (const [holder, at] of this.#asked) if (now - at >= ANSWER_WITHIN_MS) this.#asked.delete(holder);
    const grants = this.#again.filter(({ lease }) => this.#records.lease(lease));
    const asks = this.#asks;
    [this.#again, this.#asks] = [[], []];
    grants.push(...this.#grantWhatFits(now));
    this.#noteLimits(now);
    this.#forgetShares();
    return { grants, asks, nextAt: this.#nextAt(now) };
  }

  /** The lowest limit of a model: of the specs whose parts wait or are enqueued, or learnt. */
  limitOf(model: string, unit: CapacityUnit): Limit {
    const named = this.#records.all.flatMap((record) =>
      unit === 'tokens' && record.model === model && record.limit !== null ? [record.limit] : [],
    );
    const limits: Limit[] = [
      ...named.map((value) => ({ value: this.#ours(value), whence: 'spec' as const })),
      // What was inferred is what others had left.
      ...this.#limits.of(model, unit).map(({ value, whence }) => ({
        value: whence === 'inferred' ? value : this.#ours(value),
        whence,
      })),
    ];
    return limits.reduce((a, b) => (b.value < a.value ? b : a), { value: Infinity, whence: null });
  }

  #limitsOf(model: string): Enqueued {
    return { tokens: this.limitOf(model, 'tokens').value, requests: this.limitOf(model, 'requests').value };
  }

  #ours(limit: number): number {
    return Math.max(1, Math.floor(limit * (1 - this.#reservedShare)));
  }

  #grantWhatFits(now: number): CapacityRecord[] {
    const queues = groupBy(this.#records.queue, ({ model }) => model);
    // Grants do not change the limits.
    const limits = new Map([...queues.keys()].map((model) => [model, this.#limitsOf(model)]));
    const nextOf = (model: string) => this.#nextOf(model, queues.get(model)!, limits.get(model)!, now);
    const candidates = new Map([...queues.keys()].map((model) => [model, nextOf(model)]));
    const created = (record: CapacityRecord) => this.#creates.servedOf(groupOf(record));
    const granted: CapacityRecord[] = [];
    while (this.#rate.isFree(now)) {
      // Of the parts that are next of their models, the one whose group has created least.
      const open = [...candidates.values()].filter((candidate) => candidate !== null);
      const [first] = open;
      if (!first) break;
      const next = open.reduce((a, b) => (created(b) < created(a) ? b : a), first);
      this.#grant(next, now);
      granted.push(next);
      queues.set(
        next.model,
        queues.get(next.model)!.filter(({ lease }) => lease !== next.lease),
      );
      candidates.set(next.model, nextOf(next.model));
    }
    return granted;
  }

  /** The next part of a model that fits: of the group that has had the least for its weight, the oldest first. */
  #nextOf(model: string, queue: readonly Waiting[], limits: Enqueued, now: number): Waiting | null {
    const waiting = queue.filter(({ holder }) => !this.#asked.has(holder));
    if (waiting.length === 0 || this.#pauses.isPaused(model, now)) return null;
    const enqueued = this.enqueuedOf(model);
    // A part alone always fits: otherwise one above the limit would never run.
    const isAlone = !this.#records.isAnyEnqueued(model);
    const fits = (part: Waiting) =>
      isAlone || CAPACITY_UNITS.every((unit) => enqueued[unit] + (part[unit] ?? 0) <= limits[unit]);
    const blocked = waiting.filter(({ blockedSince = Infinity }) => now - blockedSince >= RESERVE_AFTER_MS);
    const [reserved] = blocked.toSorted((a, b) => a.blockedSince! - b.blockedSince!);
    if (reserved) return fits(reserved) ? reserved : null;
    const shares = this.#sharesOf(model);
    const groups = [...groupBy(waiting, groupOf)].toSorted(([a], [b]) => shares.servedOf(a) - shares.servedOf(b));
    const [first] = groups[0]![1];
    if (!fits(first!) && first!.blockedSince === undefined) this.#records.markBlocked(first!, now);
    // Those that pass the first one get no further ahead of it than it will get by its own turn.
    const lead = shares.servedOf(groupOf(first!)) + first!.tokens / (first!.weight ?? 1);
    for (const [group, parts] of groups) {
      if (shares.servedOf(group) > lead) break;
      const next = parts.find(fits);
      if (next) return next;
    }
    return null;
  }

  #grant(request: CapacityRecord | Waiting, now: number): void {
    const record: CapacityRecord & { blockedSince?: number } = { ...request };
    delete record.blockedSince;
    const { model, tokens, weight = 1 } = record;
    this.#sharesOf(model).charge(groupOf(record), Math.max(1, tokens), weight);
    this.#creates.charge(groupOf(record), 1, weight);
    this.#rate.count(now);
    this.#records.hold({ ...record, at: now });
  }

  /** A group that has had nothing of a model so far gets its share of what is enqueued before the others get more. */
  #join(record: CapacityRecord): void {
    const { model, weight = 1 } = record;
    const group = groupOf(record);
    if (this.#records.has(model, group)) return;
    if (!this.#records.hasGroup(group)) this.#creates.join(group);
    const weights = this.#records.weightsOf(model).set(group, weight);
    const sum = [...weights.values()].reduce((a, b) => a + b, 0);
    this.#sharesOf(model).join(group, this.enqueuedOf(model).tokens / sum);
  }

  #sharesOf(model: string): Shares {
    const shares = this.#shares.get(model) ?? new Shares();
    this.#shares.set(model, shares);
    return shares;
  }

  #noteLimits(now: number): void {
    const waiting = new Set(this.#records.queue.map(({ model }) => model));
    const isWaitedFor = ({ model, unit, value }: LearntLimit) =>
      waiting.has(model) &&
      this.#rate.isFree(now) &&
      !this.#pauses.isPaused(model, now) &&
      this.#ours(value) <= this.limitOf(model, unit).value;
    this.#limits.note(isWaitedFor, (model) => this.enqueuedOf(model), now);
  }

  #forgetShares(): void {
    for (const [model, shares] of this.#shares) {
      if (this.#records.weightsOf(model).size === 0) this.#shares.delete(model);
      else shares.keepOnly((group) => this.#records.has(model, group));
    }
    this.#creates.keepOnly((group) => this.#records.hasGroup(group));
  }

  #nextAt(now: number): number {
    const waiting = this.#records.queue;
    if (waiting.length === 0) return Infinity;
    const moments = [
      ...waiting.flatMap(({ model, blockedSince = Infinity }) => [
        this.#pauses.untilOf(model),
        blockedSince + RESERVE_AFTER_MS,
      ]),
      ...[...this.#asked.values()].map((at) => at + ANSWER_WITHIN_MS),
      this.#limits.nextProbeAt(),
      this.#rate.freeAt(now),
    ];
    return moments.reduce((next, moment) => (moment > now ? Math.min(next, moment) : next), Infinity);
  }

  #isKnown(record: CapacityRecord): boolean {
    return this.#records.leases.some((held) => holderKey(held) === holderKey(record));
  }
}
