/** Durations and deadlines, as specs and settings write them. */
import ms, { type StringValue } from 'ms';

/**
 * A number with a unit, in the format of the `ms` package: `'90s'`, `'5m'`, `'24h'`, `'7 days'`. A number without one is
 * refused, since nobody can see whether `5` means seconds or milliseconds; only 0 needs no unit. At most ten years.
 */
export type Duration = string | 0;

/** A time in epoch seconds, or a duration counted from the start such as `'6h'`. */
export type Deadline = number | string;

/** Ten years. A longer duration is a mistake, and timers have an upper limit. */
const MAX_DURATION_MS = 3_650 * 24 * 60 * 60 * 1_000;

const HAS_UNIT = /[a-z]\s*$|^\s*0+\s*$/i;

/** Whether a text is a duration of at most ten years. */
export function isDuration(text: string): boolean {
  if (!HAS_UNIT.test(text)) return false;
  try {
    const value = ms(text as StringValue) as number | undefined;
    return value !== undefined && value >= 0 && value <= MAX_DURATION_MS;
  } catch {
    return false;
  }
}

/**
 * Milliseconds of a duration that was checked before.
 *
 * @param duration a number is in milliseconds already
 */
export function toMs(duration: string | number): number {
  return typeof duration === 'number' ? duration : ms(duration as StringValue);
}
