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
  /** The wanted fields below, by the length of their names in bytes: most keys of a line have no candidate. */
  readonly fields: (NamedField[] | undefined)[];
  /** The elements of an array. */
  elements: WantedField | null;
}

interface NamedField {
  readonly key: Uint8Array;
  readonly field: WantedField;
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
    for (const { field: below } of field.fields.flatMap((named) => named ?? [])) {
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
  return { slot: -1, fields: [], elements: null };
}

function fieldBelow(field: WantedField, name: string): WantedField {
  if (name === '*') return (field.elements ??= newField());
  const key = Buffer.from(name);
  // Without holes, since reading one is slow.
  while (field.fields.length <= key.length) field.fields.push(undefined);
  const sameLength = (field.fields[key.length] ??= []);
  const known = sameLength.find((other) => key.equals(other.key));
  if (known) return known.field;
  const added = newField();
  sameLength.push({ key, field: added });
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
    const wanted = fieldNamed(bytes, key, at, field);
    at = skipColon(bytes, at + 1);
    if (at === -1) return -1;
    at = wanted === null ? skipValue(json, at) : scanValue(json, at, wanted, offsets);
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
  if (first === BRACE && field.fields.length > 0) end = scanObject(json, start + 1, field, offsets);
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

function fieldNamed(bytes: Buffer, start: number, end: number, { fields }: WantedField): WantedField | null {
  const length = end - start;
  const sameLength = length < fields.length ? fields[length] : undefined;
  if (sameLength === undefined) return null;
  for (let index = 0; index < sameLength.length; index++) {
    const { key, field } = sameLength[index]!;
    let at = 0;
    while (at < length && bytes[start + at] === key[at]) at++;
    if (at === length) return field;
  }
  return null;
}
