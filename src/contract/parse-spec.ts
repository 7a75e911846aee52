import type { z } from 'zod';
import type { FaultReport, InputFault } from './input-fault.js';
import { MAX_LISTED_FAULTS } from './limits.js';
import { bounded } from './text.js';

/** A spec that was read, or everything that is wrong with it. */
export type SpecParse<T> =
  { readonly spec: T; readonly report?: undefined } | { readonly spec?: undefined; readonly report: FaultReport };

/** `a.b[2].c` of a path as zod gives it. */
function fieldOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (field, key) =>
      typeof key === 'number' ? `${field}[${key}]` : field === '' ? String(key) : `${field}.${String(key)}`,
    '',
  );
}

/**
 * Of a union of objects, the faults of the one branch that knows all the keys that were given: `input.requests[3].custom_id`
 * says more than "must be one of …".
 */
function ofMeantBranch(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const knowing = issue.errors.filter(
    (faults) => !faults.some(({ code, path }) => code === 'unrecognized_keys' && path.length === 0),
  );
  const [meant] = knowing;
  if (!meant || knowing.length > 1 || issue.errors.length === 1) return [issue];
  return meant.map((fault) => ({ ...fault, path: [...issue.path, ...fault.path] })).flatMap(ofMeantBranch);
}

/** Reads a spec by its schema. Every fault names its field; the field names are bounded, the values are never quoted. */
export function parseSpec<Schema extends z.ZodType>(schema: Schema, value: unknown): SpecParse<z.output<Schema>> {
  const reading = schema.safeParse(value);
  if (reading.success) return { spec: reading.data };
  const faults: InputFault[] = reading.error.issues.flatMap(ofMeantBranch).map((issue) => {
    const field = bounded(fieldOf(issue.path), 200);
    const nested = issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined;
    return { ...(field && { field }), message: bounded(nested ?? issue.message, 300) };
  });
  return { report: { faults: faults.slice(0, MAX_LISTED_FAULTS), total: faults.length } };
}

/** One sentence of a report, for a failure's message. */
export function describeFaults(report: FaultReport): string {
  const [first] = report.faults;
  if (!first) return 'Invalid input';
  const where = [first.line === undefined ? '' : `line ${first.line}`, first.field ?? ''].filter(Boolean).join(', ');
  const more = report.total > 1 ? ` (and ${report.total - 1} more)` : '';
  return `${where ? `${where}: ` : ''}${first.message}${more}`;
}
