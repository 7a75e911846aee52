/**
 * Sharing by weight: what is scarce goes to the group that has had the least of it for its weight. Groups that were
 * idle do not save up what they did not use.
 */
import type { SharesState } from '../../contract/token-budget.js';

export class Shares {
  /** How far the group had got that was served last, before it was served. */
  #clock: number;
  /** What each group has had, divided by its weight. */
  readonly #served: Map<string, number>;

  constructor({ clock, served }: SharesState = { clock: 0, served: [] }) {
    this.#clock = clock;
    this.#served = new Map(served);
  }

  get state(): SharesState {
    return { clock: this.#clock, served: [...this.#served] };
  }

  /**
   * A group that had nothing and waits from now on. It is as far as those that are served now, or as far as it was.
   *
   * @param headStart what each group with a weight of 1 would have now if all had their shares: the newcomer gets it
   * before the others get more
   */
  join(group: string, headStart = 0): void {
    this.#served.set(group, Math.max(this.#served.get(group) ?? -Infinity, this.#clock - headStart));
  }

  charge(group: string, amount: number, weight: number): void {
    const before = this.servedOf(group);
    this.#clock = Math.max(this.#clock, before);
    this.#served.set(group, before + amount / weight);
  }

  servedOf(group: string): number {
    return this.#served.get(group) ?? this.#clock;
  }

  /** Forgets groups that have nothing, unless they have had more than their share. */
  keepOnly(isActive: (group: string) => boolean): void {
    for (const [group, served] of this.#served) {
      if (served <= this.#clock && !isActive(group)) this.#served.delete(group);
    }
  }
}
