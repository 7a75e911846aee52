/** How fast something gets on, and when it will be done. */

/** Older samples no longer count. */
const WINDOW_MS = 10 * 60_000;

interface Sample {
  /** Epoch ms. */
  readonly at: number;
  readonly done: number;
}

/** The pace of one run since it is followed, over the last ten minutes at most. */
export class Pace {
  #samples: readonly Sample[] = [];

  /** @param at epoch ms */
  add(at: number, done: number): void {
    const last = this.#samples.at(-1);
    if (last?.done === done) return;
    // What is counted anew, such as the next round of a bulk batch, has a pace of its own.
    const kept = last && done < last.done ? [] : this.#samples;
    const recent = kept.filter((sample) => at - sample.at <= WINDOW_MS || sample === last);
    this.#samples = [...recent, { at, done }];
  }

  /** Per second; null as long as nothing was seen to get done. */
  rate(now: number): number | null {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (!first || !last || last.done <= first.done || now <= first.at) return null;
    return ((last.done - first.done) / (now - first.at)) * 1_000;
  }

  /** Seconds; null where the pace is not known. */
  secondsUntil(total: number, now: number): number | null {
    const rate = this.rate(now);
    const done = this.#samples.at(-1)?.done ?? 0;
    return rate === null ? null : Math.max(0, total - done) / rate;
  }
}

/** `5.2/s`, `3.1/min` or `1.4/h`, whichever is above 1. */
export function rateText(perSecond: number): string {
  const [factor, unit] = perSecond >= 1 ? [1, 's'] : perSecond >= 1 / 60 ? [60, 'min'] : [3_600, 'h'];
  const rate = perSecond * factor;
  return `${rate >= 100 ? Math.round(rate).toLocaleString('en-US') : rate.toFixed(1)}/${unit}`;
}

/** `40 s`, `12 min`, `3 h 5 min` or `2 d 4 h`. */
export function durationText(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h${minutes % 60 === 0 ? '' : ` ${minutes % 60} min`}`;
  return `${Math.floor(hours / 24)} d${hours % 24 === 0 ? '' : ` ${hours % 24} h`}`;
}
