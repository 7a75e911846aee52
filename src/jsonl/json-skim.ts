/**
 * Reads a few fields out of a JSON object without making the rest of it: what `JSON.parse` needs for a line of a kilobyte this needs
 * half of or less, since texts are looked at and never copied.
 *
 * It is sure or it says that it is not. Where it is, the text is valid JSON and the fields are what `JSON.parse` would give; for all
 * else (a fault, a field that stands twice, an escape in a key, nesting without end) the caller parses the line.
 */
export class JsonSkim {
  /** By path, in the order they were asked for: where the value begins, or -1 where there is none. */
  readonly starts: Int32Array;
  /** By path: where the value ends. */
  readonly ends: Int32Array;
  readonly #text: Text = { bytes: NOTHING, view: new DataView(NOTHING.buffer, 0, 0), last: 0 };
  readonly #root = newField();

  /** @param paths of the fields, such as `['response', 'status_code']`; `'*'` stands for the element of an array */
  constructor(paths: readonly (readonly string[])[]) {
    let slots = 0;
    for (const path of paths) {
      let field = this.#root;
      for (const name of path) field = below(field, name);
      field.slot = slots++;
    }
    // What holds a field may stand twice too, so it is looked out for like the others.
    const hold = (field: Field): void => {
      for (const other of field.fields) {
        if (other.slot === -1) other.slot = slots++;
        hold(other);
      }
      if (field.each !== null) hold(field.each);
    };
    hold(this.#root);
    this.starts = new Int32Array(slots);
    this.ends = new Int32Array(slots);
  }

  /** Skims what stands from `start` up to `end`; `bytes` must be valid UTF-8. False where it is not sure. */
  skim(bytes: Buffer, start: number, end: number): boolean {
    const text = this.#text;
    if (text.bytes !== bytes) {
      text.bytes = bytes;
      text.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    text.last = end - 4;
    this.starts.fill(-1);
    const open = skipSpace(bytes, start);
    if (bytes[open] !== BRACE) return false;
    const close = skimObject(text, open + 1, this.#root, this);
    return close !== -1 && close <= end && skipSpace(bytes, close) >= end;
  }

  /** The first byte of the value, which tells its kind; 0 where there is none. */
  kind(slot: number): number {
    const start = this.starts[slot]!;
    return start === -1 ? 0 : this.#text.bytes[start]!;
  }

  /** The value, if it is a string. */
  text(slot: number): string | null {
    if (this.kind(slot) !== QUOTE) return null;
    const start = this.starts[slot]!;
    const end = this.ends[slot]!;
    if (this.isPlain(slot)) return this.#text.bytes.toString('latin1', start + 1, end - 1);
    return JSON.parse(this.#text.bytes.toString('utf8', start, end)) as string;
  }

  /** Whether the value is a string that is written as it is read: in ASCII, without an escape. */
  isPlain(slot: number): boolean {
    if (this.kind(slot) !== QUOTE) return false;
    const { bytes } = this.#text;
    const end = this.ends[slot]! - 1;
    for (let at = this.starts[slot]! + 1; at < end; at++) {
      if (bytes[at]! > 0x7f || bytes[at] === BACKSLASH) return false;
    }
    return true;
  }

  /** Whether the value is written just so, such as `"POST"` with its quotes. */
  is(slot: number, written: Uint8Array): boolean {
    const start = this.starts[slot]!;
    if (start === -1 || this.ends[slot]! - start !== written.length) return false;
    for (let at = 0; at < written.length; at++) if (this.#text.bytes[start + at] !== written[at]) return false;
    return true;
  }

  /** The value, if it is a whole number of at most nine digits; else -1. */
  count(slot: number): number {
    const start = this.starts[slot]!;
    const end = this.ends[slot]!;
    if (start === -1 || end - start > 9) return -1;
    let count = 0;
    for (let at = start; at < end; at++) {
      const digit = this.#text.bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) return -1;
      count = count * 10 + digit;
    }
    return count;
  }
}

const NOTHING = Buffer.alloc(0);
export const QUOTE = 0x22;
export const BRACE = 0x7b;
const BRACE_END = 0x7d;
const BRACKET = 0x5b;
const BRACKET_END = 0x5d;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
/** Of values that nobody wants: as many as a number has bits to spare. */
const MAX_DEPTH = 30;

/** What is read. */
interface Text {
  bytes: Buffer;
  /** Of the same bytes. */
  view: DataView;
  /** Up to here four bytes may be read at once. */
  last: number;
}

/** Where the fields are, by slot. */
interface Found {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** A value that is wanted, or that holds one. */
interface Field {
  slot: number;
  /** Names of the fields below, as bytes. */
  readonly keys: Buffer[];
  readonly fields: Field[];
  /** The elements of an array. */
  each: Field | null;
}

function newField(): Field {
  return { slot: -1, keys: [], fields: [], each: null };
}

function below(field: Field, name: string): Field {
  if (name === '*') return (field.each ??= newField());
  const key = Buffer.from(name);
  const known = field.keys.findIndex((other) => other.equals(key));
  if (known !== -1) return field.fields[known]!;
  field.keys.push(key);
  const added = newField();
  field.fields.push(added);
  return added;
}

/** By byte: whether it is an ordinary one within a string. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);
/** By byte: whether it may follow a backslash, `u` apart. */
const ESCAPED = Uint8Array.from({ length: 256 }, (_, byte) =>
  `"\\/bfnrt`.includes(String.fromCharCode(byte)) ? 1 : 0,
);
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

// Each of these takes the place where something begins and gives the one behind it, or -1 where it is not sure. No line break is ever
// passed, so nothing is read beyond a line.

/** An object with fields that are wanted. */
function skimObject(text: Text, start: number, field: Field, found: Found): number {
  const { bytes } = text;
  let at = skipSpace(bytes, start);
  if (bytes[at] === BRACE_END) return at + 1;
  for (;;) {
    if (bytes[at] !== QUOTE) return -1;
    const key = at + 1;
    at = key;
    while (PLAIN[bytes[at]!] === 1) at++;
    // A key with an escape may be any.
    if (bytes[at] !== QUOTE) return -1;
    const index = keyOf(bytes, key, at, field.keys);
    at = skipColon(bytes, at + 1);
    if (at === -1) return -1;
    at = index === NONE ? skipValue(text, at) : skimValue(text, at, field.fields[index]!, found);
    if (at === -1) return -1;
    at = skipSpace(bytes, at);
    const next = bytes[at];
    if (next === BRACE_END) return at + 1;
    if (next !== COMMA) return -1;
    at = skipSpace(bytes, at + 1);
  }
}

function skimValue(text: Text, at: number, field: Field, found: Found): number {
  const first = text.bytes[at];
  let end: number;
  if (first === BRACE && field.keys.length > 0) end = skimObject(text, at + 1, field, found);
  else if (first === BRACKET && field.each !== null) end = skimArray(text, at + 1, field.each, found);
  else end = skipValue(text, at);
  if (field.slot !== -1) {
    // The second of its name.
    if (found.starts[field.slot] !== -1) return -1;
    found.starts[field.slot] = at;
    found.ends[field.slot] = end;
  }
  return end;
}

/** An array with elements that are wanted. */
function skimArray(text: Text, start: number, each: Field, found: Found): number {
  const { bytes } = text;
  let at = skipSpace(bytes, start);
  if (bytes[at] === BRACKET_END) return at + 1;
  for (;;) {
    at = skimValue(text, at, each, found);
    if (at === -1) return -1;
    at = skipSpace(bytes, at);
    const next = bytes[at];
    if (next === BRACKET_END) return at + 1;
    if (next !== COMMA) return -1;
    at = skipSpace(bytes, at + 1);
  }
}

/** Any value, with all that is in it. It keeps its own account of depths: calls of itself would cost a third more. */
function skipValue(text: Text, start: number): number {
  const { bytes } = text;
  let at = start;
  let depth = 0;
  /** A bit for each depth, the innermost lowest: 1 for an object, 0 for an array. */
  let kinds = 0;
  for (;;) {
    const first = bytes[at];
    if (first === QUOTE) at = skipString(text, at + 1);
    else if (first === BRACE || first === BRACKET) {
      at = skipSpace(bytes, at + 1);
      if (bytes[at] !== (first === BRACE ? BRACE_END : BRACKET_END)) {
        if (++depth > MAX_DEPTH) return -1;
        kinds = (kinds << 1) | (first === BRACE ? 1 : 0);
        if (first === BRACE) at = skipKey(text, at);
        if (at === -1) return -1;
        continue;
      }
      at++;
    } else at = skipScalar(bytes, at);
    if (at === -1) return -1;
    for (;;) {
      if (depth === 0) return at;
      const isObject = (kinds & 1) === 1;
      at = skipSpace(bytes, at);
      const next = bytes[at];
      at++;
      if (next === COMMA) {
        at = skipSpace(bytes, at);
        if (isObject) at = skipKey(text, at);
        if (at === -1) return -1;
        break;
      }
      if (next !== (isObject ? BRACE_END : BRACKET_END)) return -1;
      depth--;
      kinds >>= 1;
    }
  }
}

/** A key and its colon. */
function skipKey(text: Text, start: number): number {
  if (text.bytes[start] !== QUOTE) return -1;
  const at = skipString(text, start + 1);
  return at === -1 ? -1 : skipColon(text.bytes, at);
}

function skipColon(bytes: Buffer, start: number): number {
  const at = skipSpace(bytes, start);
  return bytes[at] === COLON ? skipSpace(bytes, at + 1) : -1;
}

/** What is behind the opening quote. */
function skipString({ bytes, view, last }: Text, start: number): number {
  for (let at = start; ;) {
    // Four bytes at a time, while none of them is a quote, a backslash or a control character: the usual trick with the borrow that
    // runs into the highest bit of a byte that is less. Where it is wrong, it says so too often.
    while (at < last) {
      const four = view.getInt32(at, true);
      const quotes = four ^ 0x22222222;
      const slashes = four ^ 0x5c5c5c5c;
      const controls = (four - 0x20202020) & ~four;
      if ((controls | ((quotes - 0x01010101) & ~quotes) | ((slashes - 0x01010101) & ~slashes)) & 0x80808080) break;
      at += 4;
    }
    while (PLAIN[bytes[at]!] === 1) at++;
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte !== BACKSLASH) return -1;
    const escaped = bytes[at + 1]!;
    if (ESCAPED[escaped] === 1) at += 2;
    else if (escaped === 0x75 && isHex(bytes, at + 2)) at += 6;
    else return -1;
  }
}

function isHex(bytes: Buffer, start: number): boolean {
  for (let at = start; at < start + 4; at++) {
    const byte = bytes[at]! | 0x20;
    if (!((byte >= 0x30 && byte <= 0x39 && bytes[at]! >= 0x30) || (byte >= 0x61 && byte <= 0x66))) return false;
  }
  return true;
}

function skipScalar(bytes: Buffer, start: number): number {
  const first = bytes[start];
  if (first === 0x74) return skipWord(bytes, start, TRUE);
  if (first === 0x66) return skipWord(bytes, start, FALSE);
  if (first === 0x6e) return skipWord(bytes, start, NULL);
  let at = first === MINUS ? start + 1 : start;
  if (bytes[at] === ZERO) at++;
  else at = skipDigits(bytes, at);
  if (at !== -1 && bytes[at] === DOT) at = skipDigits(bytes, at + 1);
  if (at !== -1 && (bytes[at]! | 0x20) === 0x65) {
    const sign = bytes[at + 1];
    at = skipDigits(bytes, sign === MINUS || sign === 0x2b ? at + 2 : at + 1);
  }
  return at;
}

function skipDigits(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at++;
  return at === start ? -1 : at;
}

function skipWord(bytes: Buffer, start: number, word: Buffer): number {
  for (let at = 0; at < word.length; at++) if (bytes[start + at] !== word[at]) return -1;
  return start + word.length;
}

/** Spaces and tabs; a carriage return is left to `JSON.parse`. */
function skipSpace(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
  return at;
}

const NONE = -1;

/** Which of the keys it is. */
function keyOf(bytes: Buffer, start: number, end: number, keys: readonly Buffer[]): number {
  const length = end - start;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!;
    if (key.length !== length) continue;
    let at = 0;
    while (at < length && bytes[start + at] === key[at]) at++;
    if (at === length) return index;
  }
  return NONE;
}
