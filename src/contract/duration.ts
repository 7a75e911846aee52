/** Durations and deadlines, as specs and settings write them. */
import ms, { type StringValue } from 'ms';

/** Milliseconds, or a string in the format of the `ms` package such as `'90s'`, `'5m'` or `'24h'`. */
export type Duration = number | string;

/** A time in epoch seconds, or a duration counted from the start such as `'6h'`. */
export type Deadline = number | string;

/** Ten years. A longer duration is a mistake, and timers have an upper limit. */
export const MAX_DURATION_MS = 3_650 * 24 * 60 * 60 * 1_000;

/** Whether a text is a duration of at most {@link MAX_DURATION_MS}. */
export function isDuration(text: string): boolean {
  try {
    const value = ms(text as StringValue) as number | undefined;
    return value !== undefined && value >= 0 && value <= MAX_DURATION_MS;
  } catch {
    return false;
  }
}

/** Milliseconds of a duration that was checked before. */
export function toMs(duration: Duration): number {
  return typeof duration === 'number' ? duration : ms(duration as StringValue);
}
