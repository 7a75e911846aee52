/** Sizes of memory, as a person writes them. */
import { z } from 'zod';

const UNITS: Readonly<Record<string, number>> = { b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 };
/** A worker of less does not start. */
const MIN_MEMORY = 200 * 2 ** 20;

/** A size such as `'512MB'`, `'1.5 GiB'` or `'536870912'`, read as bytes. */
export const sizeSchema = z
  .string()
  .regex(/^\d+(\.\d+)? ?([kmg]i?)?b?$/i, { error: "must be a size such as '512MB' or '1GB'", abort: true })
  .transform(toBytes)
  .refine((bytes) => bytes >= MIN_MEMORY, 'must be at least 200MB');

function toBytes(written: string): number {
  const unit = /[a-z]+$/i.exec(written)?.[0].toLowerCase().replace('i', '') ?? 'b';
  return Math.floor(Number.parseFloat(written) * (UNITS[unit.endsWith('b') ? unit : `${unit}b`] ?? 1));
}
