/** The fields that a scanner looks for, as a tree, and the scan that records where their values are. */
import {
  BRACE,
  BRACE_END,
  BRACKET,
  BRACKET_END,
  COMMA,
  type JsonBytes,
  PLAIN,
  QUOTE,
  skipColon,
  skipSpace,
  skipValue,
} from './skip-value.js';

/**
 * Path of a field from the line's object, such as `['response', 'status_code']`; `'*'` is every element of an array.
 */
export type FieldPath = readonly string[];

/** A field that is wanted, or that contains one. */
export interface WantedField {
  /** Where its offsets are recorded. */
  slot: number;
  /** Names of the wanted fields below, as bytes. */
  readonly keys: Buffer[];
  readonly fields: WantedField[];
  /** The elements of an array. */
  elements: WantedField | null;
}

/** Offsets of the values of a line, by slot: the paths first, in their order, then the fields that contain them. */
export interface Offsets {
  /** Where a value begins, or -1 where there is none. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Paths that are still to be found before the scan stops; 0 for a scan of the whole line. */
  missing: number;
  /** Whether the scan stopped since every path was found. */
  isComplete: boolean;
}

export function wantedFields(paths: readonly FieldPath[]): { root: WantedField; slots: number } {
  const root = newField();
  let slots = 0;
  for (const path of paths) {
    let field = root;
    for (const name of path) field = fieldBelow(field, name);
    field.slot = slots;
    slots += 1;
  }
  // Containers get slots too, so that a container that occurs twice is noticed.
  const addContainers = (field: WantedField): void => {
    for (const below of field.fields) {
      if (below.slot === -1) {
        below.slot = slots;
        slots += 1;
      }
      addContainers(below);
    }
    if (field.elements !== null) addContainers(field.elements);
  };
  addContainers(root);
  return { root, slots };
}

function newField(): WantedField {
  return { slot: -1, keys: [], fields: [], elements: null };
}

function fieldBelow(field: WantedField, name: string): WantedField {
  if (name === '*') return (field.elements ??= newField());
  const key = Buffer.from(name);
  const known = field.keys.findIndex((other) => other.equals(key));
  if (known !== -1) return field.fields[known]!;
  const added = newField();
  field.keys.push(key);
  field.fields.push(added);
  return added;
}

/**
 * An object with wanted fields, from behind its brace; returns the offset behind it, or -1 when it is not sure or
 * complete.
 */
export function scanObject(json: JsonBytes, start: number, field: WantedField, offsets: Offsets): number {
  const { bytes } = json;
  let at = skipSpace(bytes, start);
  if (bytes[at] === BRACE_END) return at + 1;
  while (true) {
    if (bytes[at] !== QUOTE) return -1;
    const key = at + 1;
    at = key;
    while (PLAIN[bytes[at]!] === 1) at++;
    // A key with an escape may be any of the wanted ones.
    if (bytes[at] !== QUOTE) return -1;
    const index = indexOfKey(bytes, key, at, field.keys);
    at = skipColon(bytes, at + 1);
    if (at === -1) return -1;
    at = index === -1 ? skipValue(json, at) : scanValue(json, at, field.fields[index]!, offsets);
    if (at === -1) return -1;
    at = skipSpace(bytes, at);
    const next = bytes[at];
    if (next === BRACE_END) return at + 1;
    if (next !== COMMA) return -1;
    at = skipSpace(bytes, at + 1);
  }
}

function scanValue(json: JsonBytes, start: number, field: WantedField, offsets: Offsets): number {
  const first = json.bytes[start];
  let end: number;
  if (first === BRACE && field.keys.length > 0) end = scanObject(json, start + 1, field, offsets);
  else if (first === BRACKET && field.elements !== null) end = scanArray(json, start + 1, field.elements, offsets);
  else end = skipValue(json, start);
  if (field.slot === -1 || end === -1) return end;
  // A field that occurs twice: `JSON.parse` decides which one counts.
  if (offsets.starts[field.slot] !== -1) return -1;
  offsets.starts[field.slot] = start;
  offsets.ends[field.slot] = end;
  if (offsets.missing > 0 && (offsets.missing -= 1) === 0) {
    offsets.isComplete = true;
    return -1;
  }
  return end;
}

function scanArray(json: JsonBytes, start: number, elements: WantedField, offsets: Offsets): number {
  const { bytes } = json;
  let at = skipSpace(bytes, start);
  if (bytes[at] === BRACKET_END) return at + 1;
  while (true) {
    at = scanValue(json, at, elements, offsets);
    if (at === -1) return -1;
    at = skipSpace(bytes, at);
    const next = bytes[at];
    if (next === BRACKET_END) return at + 1;
    if (next !== COMMA) return -1;
    at = skipSpace(bytes, at + 1);
  }
}

function indexOfKey(bytes: Buffer, start: number, end: number, keys: readonly Buffer[]): number {
  const length = end - start;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!;
    if (key.length !== length) continue;
    let at = 0;
    while (at < length && bytes[start + at] === key[at]) at++;
    if (at === length) return index;
  }
  return -1;
}
