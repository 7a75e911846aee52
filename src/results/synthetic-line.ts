/** Synthetic lines: result lines that we write for requests without a line of the provider. */
import { isObject } from '../jsonl/json-value.js';

/** Codes and messages; the lines of a failed batch have the type and the message of its failure instead. */
const MESSAGES = {
  missing: 'No result file has a line for the request.',
  unreadable: 'No line of the result files could be matched to the request; its answer may be in unreadable.jsonl.',
  batch_expired: 'The batch expired before the request was answered.',
  batch_cancelled: 'The batch was cancelled before the request was answered.',
  batch_failed: 'The batch failed before the request was answered.',
} as const;

export type SyntheticCode = keyof typeof MESSAGES;

/** The codes of requests that were, as far as is known, answered. */
export type LostCode = 'missing' | 'unreadable';

/** `error` of a synthetic line. */
export interface SyntheticError {
  /** A `SyntheticCode`, or a failure type. */
  readonly code: string;
  readonly message: string;
}

export function syntheticError(code: SyntheticCode): SyntheticError {
  return { code, message: MESSAGES[code] };
}

/** Makes a line without its line break; `extra` fields come first. */
export function syntheticLine(
  customId: string,
  error: SyntheticError,
  extra: Readonly<Record<string, unknown>> = {},
): string {
  return JSON.stringify({ ...extra, id: null, custom_id: customId, response: null, error });
}

/** The code of a synthetic line that stands for a line which the provider did not deliver; null for other lines. */
export function syntheticCodeOf({ id, response, error }: Readonly<Record<string, unknown>>): LostCode | null {
  if (id !== null || response !== null || !isObject(error)) return null;
  return error.code === 'missing' || error.code === 'unreadable' ? error.code : null;
}
