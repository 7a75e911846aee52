import { MAX_LINE_BYTES } from '../contract/limits.js';
import { counted } from './fault-collector.js';
import { isObject, kindOf } from './json-value.js';
import type { Line } from './lines.js';

/** A line as a JSON object, or what is wrong with it. */
export type ParsedLine =
  | { readonly object: Record<string, unknown>; readonly problem: null }
  | { readonly object: null; readonly problem: string };

/**
 * Parses a line as one JSON object. The problem never quotes the line, as the message of `JSON.parse` would.
 *
 * @param maxBytes the limit that the line was split by, for the message
 */
export function parseLine(line: Line, maxBytes: number = MAX_LINE_BYTES): ParsedLine {
  if (line.problem === 'tooLong') {
    return failed(`${counted(line.byteLength)} bytes; the limit of a line is ${counted(maxBytes)}`);
  }
  if (line.problem === 'notUtf8') return failed('not valid UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch (error) {
    const position = error instanceof SyntaxError ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
    return failed(`not valid JSON${position === undefined ? '' : ` (at character ${Number(position) + 1})`}`);
  }
  if (!isObject(value)) return failed(`must be a JSON object, not ${kindOf(value)}`);
  return { object: value, problem: null };
}

function failed(problem: string): ParsedLine {
  return { object: null, problem };
}
