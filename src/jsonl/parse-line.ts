import type { Line } from './lines.js';

/** A line as a JSON object, or what is wrong with it. */
export type ParsedLine =
  | { readonly object: Record<string, unknown>; readonly problem: null }
  | { readonly object: null; readonly problem: string };

/** Reads a line as one JSON object. The problem never quotes the line, as the parser's own message would. */
export function parseLine(line: Line, lineBytes: number): ParsedLine {
  if (line.problem === 'tooLong') {
    return fail(`is ${line.byteLength} bytes long; a line may have at most ${lineBytes}`);
  }
  if (line.problem === 'notUtf8') return fail('is not valid UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch (error) {
    const position = error instanceof SyntaxError ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
    return fail(`is not valid JSON${position === undefined ? '' : ` from character ${Number(position) + 1}`}`);
  }
  if (!isObject(value)) return fail(`is ${kindOf(value)}; each line must be one JSON object`);
  return { object: value, problem: null };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a value is, in words: messages name kinds, never values. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return `a ${typeof value}`;
}

function fail(problem: string): ParsedLine {
  return { object: null, problem };
}
