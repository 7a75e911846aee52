/** What is wrong with a configuration: every fault at once, each with its path, none with a value. */
import type { z } from 'zod';
import { didYouMean } from '../contract/did-you-mean.js';
import { fieldOf } from '../contract/parse-spec.js';
import { safeParse } from '../contract/safe-parse.js';
import { bounded } from '../contract/text.js';
import { redact } from '../provider/redact.js';

export interface ConfigFault {
  /** Path of the field such as `accounts.groq.apiKey`, or the name of a variable. */
  readonly field: string;
  readonly message: string;
}

/** A configuration that cannot be used. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** Path of the file; null: the variables alone. */
  readonly file: string | null;
  readonly faults: readonly ConfigFault[];

  /** @param file path of the file; null: the variables alone */
  constructor(file: string | null, faults: readonly ConfigFault[]) {
    const lines = faults.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`));
    const [only = ''] = lines;
    const where = file === null ? 'the environment' : file;
    super(
      lines.length === 1
        ? `${file === null ? '' : `${file}: `}${only}`
        : `${lines.length} faults in ${where}:${lines.map((line) => `\n  ${line}`).join('')}`,
    );
    this.file = file;
    this.faults = faults;
  }
}

const MAX_NAME_LENGTH = 60;

export type Checked<T> =
  | { readonly value: T; readonly faults: readonly [] }
  | { readonly value: null; readonly faults: readonly ConfigFault[] };

/** Reads a value by its schema. */
export function checkConfig<Schema extends z.ZodType>(schema: Schema, value: unknown): Checked<z.output<Schema>> {
  const reading = safeParse(schema, value);
  if (reading.success) return { value: reading.data, faults: [] };
  const faults = reading.error.issues.flatMap((issue) => faultsOf(schema, issue));
  return { value: null, faults: faults.map(({ field, message }) => ({ field, message: bounded(message, 500) })) };
}

function faultsOf(schema: z.ZodType, issue: z.core.$ZodIssue): ConfigFault[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const known = keysOf(schemaAt(schema, path));
    return issue.keys.map((key) => ({ field: fieldOf([...path, shown(key)]), message: unknownKey(key, known) }));
  }
  const named = path.map((key) => (typeof key === 'string' ? shown(key) : key));
  const nested = issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined;
  return [{ field: fieldOf(named), message: nested ?? issue.message }];
}

/** A key might be pasted where a name belongs. */
const shown = (name: string): string => bounded(redact(name, []), MAX_NAME_LENGTH);

function unknownKey(key: string, known: readonly string[]): string {
  const meant = didYouMean(key, known);
  if (meant !== undefined) return `is not known; did you mean ${meant}?`;
  return `is not known; known are ${known.join(', ')}`;
}

/** The keys of the object whose schema this is. */
function keysOf(schema: z.ZodType | null): string[] {
  return Object.keys(schema === null ? {} : (definitionOf(schema).shape ?? {}));
}

interface Definition {
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly innerType?: z.ZodType;
  readonly valueType?: z.ZodType;
}

const definitionOf = (schema: z.ZodType): Definition => schema.def as Definition;

/** The schema of a field, through optional ones and records. */
function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | null {
  const { shape, innerType, valueType } = definitionOf(schema);
  if (innerType) return schemaAt(innerType, path);
  const [key, ...rest] = path;
  if (key === undefined) return schema;
  const next = valueType ?? shape?.[String(key)];
  return next === undefined ? null : schemaAt(next, rest);
}
