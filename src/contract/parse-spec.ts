import type { z } from 'zod';
import { didYouMean } from './did-you-mean.js';
import type { FaultReport, InputFault } from './input-fault.js';
import { MAX_LISTED_FAULTS } from './limits.js';
import { safeParse } from './safe-parse.js';
import { bounded } from './text.js';

/** A valid spec, or what is wrong with it. */
export type SpecParse<T> =
  { readonly spec: T; readonly report?: undefined } | { readonly spec?: undefined; readonly report: FaultReport };

/** Longest field and message of a fault, in characters. */
const MAX_FIELD_LENGTH = 200;
const MAX_MESSAGE_LENGTH = 300;

/** The path of a zod issue, written as `a.b[2].c`. */
function fieldOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (field, key) =>
      typeof key === 'number' ? `${field}[${key}]` : field === '' ? String(key) : `${field}.${String(key)}`,
    '',
  );
}

/**
 * Replaces the issue of a union of objects by the issues of the one branch that knows all the keys of the value:
 * `input.requests[3].custom_id` is more helpful than "must be one of …".
 */
function issuesOfIntendedBranch(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const candidates = issue.errors.filter(
    (issues) => !issues.some(({ code, path }) => code === 'unrecognized_keys' && path.length === 0),
  );
  const [intended] = candidates;
  if (!intended || candidates.length > 1 || issue.errors.length === 1) return [issue];
  return intended
    .map((nested) => ({ ...nested, path: [...issue.path, ...nested.path] }))
    .flatMap(issuesOfIntendedBranch);
}

/**
 * Reads a spec by its schema. Every fault names its field, cut to a bound, and never quotes a value. Fields that do not
 * exist come first: a misspelt one is often why another is missing.
 *
 * @param maxFaults faults that are listed; the others are counted
 */
export function parseSpec<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  maxFaults: number = MAX_LISTED_FAULTS,
): SpecParse<z.output<Schema>> {
  const knownKeys = new WeakMap<readonly string[], readonly string[]>();
  const reading = safeParse(schema, value, (issue) => {
    if (issue.code === 'unrecognized_keys') knownKeys.set(issue.keys, keysOf(issue.inst));
    return undefined;
  });
  if (reading.success) return { spec: reading.data };
  const issues = reading.error.issues.flatMap(issuesOfIntendedBranch);
  const unknown = issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [];
    return issue.keys.map((key) => fault([...issue.path, key], notAField(key, knownKeys.get(issue.keys) ?? [])));
  });
  const others = issues
    .filter(({ code }) => code !== 'unrecognized_keys')
    .map((issue) => {
      const nested = issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined;
      return fault(issue.path, nested ?? issue.message);
    });
  const faults = [...unknown, ...others];
  return { report: { faults: faults.slice(0, maxFaults), total: faults.length } };
}

function fault(path: readonly PropertyKey[], message: string): InputFault {
  const field = bounded(fieldOf(path), MAX_FIELD_LENGTH);
  return { ...(field && { field }), message: bounded(message, MAX_MESSAGE_LENGTH) };
}

function notAField(key: string, known: readonly string[]): string {
  const meant = didYouMean(key, known);
  if (meant !== undefined) return `is not a field: did you mean "${meant}"?`;
  return known.length === 0 ? 'is not a field' : `is not one of the fields ${known.join(', ')}`;
}

/** The names of the fields of an object schema. */
function keysOf(schema: unknown): readonly string[] {
  return Object.keys((schema as Partial<z.ZodObject> | undefined)?.shape ?? {});
}

/** The first fault of a report and the number of further ones, for the message of a failure. */
export function describeFaults(report: FaultReport): string {
  const [first] = report.faults;
  if (!first) return 'Invalid input';
  const where = [first.line === undefined ? '' : `line ${first.line}`, first.field ?? ''].filter(Boolean).join(', ');
  const more = report.total > 1 ? ` (and ${report.total - 1} more)` : '';
  return `${where ? `${where}: ` : ''}${first.message}${more}`;
}
