/** The limits that no spec names: learnt from refusals, raised when they hold for long, forgotten when not needed. */
import type { CapacityRefusal, CapacityUnit, LearntLimit } from '../../contract/token-budget.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** How long a limit must be used to the full, without a refusal, until it is raised. */
const PROBE_AFTER_MS: Readonly<Record<LearntLimit['whence'], number>> = {
  inferred: 10 * MINUTE_MS,
  // The provider's own number changes rarely, and each trial that fails costs a part its turn.
  message: HOUR_MS,
};
/** The interval doubles with each further refusal, up to this one. */
const MAX_PROBE_AFTER_MS = 6 * HOUR_MS;
const PROBE_FACTOR = 1.25;
/** A limit counts as used to the full if a part waits for it while this share of it is enqueued. */
const FULL_SHARE = 0.5;
/** A limit that kept no part waiting for this long is forgotten. */
const FORGET_AFTER_MS = HOUR_MS;
/** Limits that are kept; the oldest are forgotten first. */
const MAX_LIMITS = 500;

/** What is enqueued of a model. */
export type Enqueued = Readonly<Record<CapacityUnit, number>>;

export class LearntLimits {
  #limits: LearntLimit[];

  constructor(limits: readonly LearntLimit[] = []) {
    this.#limits = [...limits];
  }

  get state(): LearntLimit[] {
    return this.#limits;
  }

  of(model: string, unit: CapacityUnit): LearntLimit[] {
    return this.#limits.filter((limit) => limit.model === model && limit.unit === unit);
  }

  /**
   * @param enqueued what is enqueued besides the part that was refused
   * @param refused what the part would have added
   */
  learn({ model, unit, limit }: CapacityRefusal, enqueued: Enqueued, refused: Enqueued, now: number): void {
    if (unit === null) return;
    if (limit !== null && limit >= 1) this.#set(model, unit, 'message', limit, now);
    // The number in the message does not explain the refusal of a part that keeps to it: others use the account.
    const isExplained = limit !== null && enqueued[unit] + refused[unit] > limit;
    // Where nothing of ours is enqueued, the refusal tells nothing of how much may be.
    if (isExplained || enqueued[unit] < 1) return;
    this.#set(model, unit, 'inferred', enqueued[unit], now);
  }

  /** Raises the limits that were used to the full for long enough. */
  raise(now: number): void {
    this.#limits = this.#limits.map((limit) => {
      const { value, fullSince, probeAfterMs } = limit;
      if (fullSince === null || now - fullSince < probeAfterMs) return limit;
      return { ...limit, value: Math.ceil(value * PROBE_FACTOR), at: now, neededAt: now, fullSince: null };
    });
  }

  /** Notes which limits keep a part from being granted. */
  note(isWaitedFor: (limit: LearntLimit) => boolean, enqueuedOf: (model: string) => Enqueued, now: number): void {
    this.#limits = this.#limits.map((limit) => {
      if (!isWaitedFor(limit)) return limit.fullSince === null ? limit : { ...limit, fullSince: null };
      const isFull = enqueuedOf(limit.model)[limit.unit] >= limit.value * FULL_SHARE;
      return { ...limit, neededAt: now, fullSince: isFull ? (limit.fullSince ?? now) : null };
    });
  }

  forgetOld(now: number): void {
    this.#limits = this.#limits.filter(({ at, neededAt }) => now - Math.max(at, neededAt) <= FORGET_AFTER_MS);
  }

  /** When a limit that is used to the full may be raised, in epoch ms; Infinity where none is. */
  nextProbeAt(): number {
    const moments = this.#limits.flatMap(({ fullSince, probeAfterMs }) =>
      fullSince === null ? [] : [fullSince + probeAfterMs],
    );
    return Math.min(Infinity, ...moments);
  }

  #set(model: string, unit: CapacityUnit, whence: LearntLimit['whence'], value: number, now: number): void {
    const isThis = (limit: LearntLimit) => limit.model === model && limit.unit === unit && limit.whence === whence;
    const before = this.#limits.find(isThis);
    const probeAfterMs = before ? Math.min(2 * before.probeAfterMs, MAX_PROBE_AFTER_MS) : PROBE_AFTER_MS[whence];
    const learnt = whence === 'inferred' ? Math.min(value, before?.value ?? Infinity) : value;
    const limit = { model, unit, value: learnt, whence, at: now, neededAt: now, fullSince: null, probeAfterMs };
    const others = this.#limits.filter((other) => !isThis(other));
    // After a refusal, no limit of the model has proved itself.
    const unproved = others.map((other) => (other.model === model ? { ...other, fullSince: null } : other));
    this.#limits = [...unproved, limit].slice(-MAX_LIMITS);
  }
}
