/** Synthetic lines: result lines that we write for requests without a line of the provider. */
import { isObject } from '../jsonl/json-value.js';

/** Codes and messages; the lines of a failed batch have the type and the message of its failure instead. */
const MESSAGES = {
  missing: 'No result file has a line for the request.',
  batch_expired: 'The batch expired before the request was answered.',
  batch_cancelled: 'The batch was cancelled before the request was answered.',
} as const;

export type SyntheticCode = keyof typeof MESSAGES;

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

/** Whether a line with these fields is a synthetic one with the code `missing`. */
export function isMissingLine(response: unknown, error: unknown): boolean {
  return response === null && isObject(error) && error.code === 'missing';
}
