/** Scans one line for fields, and finds the same fields by `JSON.parse`. */
import { type Line, lineBlocks } from '../../src/jsonl/lines.js';
import {
  ARRAY,
  type FieldValue,
  fieldScanner,
  OBJECT,
  type ScanOptions,
  SEVERAL,
} from '../../src/jsonl/scan/field-scanner.js';
import { bytesOf } from './streams.js';

export const PATHS = [['a'], ['b', 'c'], ['b', 'd', '*', 'e'], ['b']];

/** The text as a line between two others. */
export async function lineOf(text: string): Promise<Line> {
  for await (const lines of lineBlocks(bytesOf(`{"a":7}\n${text}\n{"a":8}\n`))) return lines[1]!;
  throw new Error('no lines');
}

export async function scanned(text: string, options?: ScanOptions) {
  return fieldScanner(PATHS, options)(await lineOf(text));
}

const fieldsOf = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
const kept = (value: unknown) => (Array.isArray(value) ? ARRAY : fieldsOf(value) ? OBJECT : value) as FieldValue;

/** The same by `JSON.parse`; null for anything but an object. */
export function parsed(text: string): (FieldValue | null)[] | null {
  let object: unknown;
  try {
    object = JSON.parse(text);
  } catch {
    return null;
  }
  const root = fieldsOf(object);
  if (!root) return null;
  const b = fieldsOf(root.b);
  const elements = Array.isArray(b?.d) ? b.d.map(fieldsOf).filter((fields) => fields?.e !== undefined) : [];
  return [kept(root.a), kept(b?.c), elements.length > 1 ? SEVERAL : kept(elements[0]?.e), kept(root.b)];
}
