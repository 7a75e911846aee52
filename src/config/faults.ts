/** What is wrong with a configuration: every fault at once, each with its path, none with a value. */
import type { z } from 'zod';
import { parseSpec } from '../contract/parse-spec.js';
import { redact } from '../provider/redact.js';

/** One fault of a configuration. */
export interface ConfigFault {
  /** Path of the field such as `accounts.groq.apiKey`, or the name of a variable. */
  readonly field: string;
  /** What is wrong, and what is allowed. Never quotes a value. */
  readonly message: string;
}

/** A configuration that cannot be used. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** Path of the file; null: the variables alone. */
  readonly file: string | null;
  /** Every fault. */
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

export type Checked<T> =
  | { readonly value: T; readonly faults: readonly [] }
  | { readonly value: null; readonly faults: readonly ConfigFault[] };

/** Reads a value by its schema. */
export function checkConfig<Schema extends z.ZodType>(schema: Schema, value: unknown): Checked<z.output<Schema>> {
  const { spec, report } = parseSpec(schema, value, Infinity);
  if (!report) return { value: spec, faults: [] };
  // A key might be pasted where a name belongs.
  const faults = report.faults.map(({ field = '', message }) => ({ field: redact(field, []), message }));
  return { value: null, faults };
}
