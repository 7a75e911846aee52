/**
 * Skips JSON values byte by byte, checking that they are valid.
 *
 * Each function takes the offset at which something begins and returns the offset behind it, or -1 when it is not sure:
 * the caller then uses `JSON.parse`. No function passes a line break, so nothing is read beyond the line.
 */

export const QUOTE = 0x22;
export const BRACE = 0x7b;
export const BRACE_END = 0x7d;
export const BRACKET = 0x5b;
export const BRACKET_END = 0x5d;
export const BACKSLASH = 0x5c;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const ZERO = 0x30;
const PLUS = 0x2b;
const DOT = 0x2e;
const COLON = 0x3a;
const SPACE = 0x20;
const TAB = 0x09;

/** Deepest nesting of a skipped value: one bit of a 32-bit integer for each level. */
const MAX_DEPTH = 30;

/** The bytes that are scanned. */
export interface JsonBytes {
  bytes: Buffer;
  /** A view of the same bytes. */
  view: DataView;
  /** Up to this offset four bytes may be read together. */
  lastWord: number;
}

/** By byte: 1 if it has no special meaning within a string. */
export const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);
/** By byte: 1 if it may follow a backslash; `u` is handled apart. */
const ESCAPED = Uint8Array.from({ length: 256 }, (_, byte) =>
  `"\\/bfnrt`.includes(String.fromCharCode(byte)) ? 1 : 0,
);
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

/** Any value with everything in it. It is a loop with its own stack of bits: recursion takes a third longer. */
export function skipValue(json: JsonBytes, start: number): number {
  const { bytes } = json;
  let at = start;
  let depth = 0;
  /** One bit for each level, the innermost lowest: 1 for an object, 0 for an array. */
  let kinds = 0;
  while (true) {
    const first = bytes[at];
    if (first === QUOTE) at = skipString(json, at + 1);
    else if (first === BRACE || first === BRACKET) {
      at = skipSpace(bytes, at + 1);
      if (bytes[at] !== (first === BRACE ? BRACE_END : BRACKET_END)) {
        if (++depth > MAX_DEPTH) return -1;
        kinds = (kinds << 1) | (first === BRACE ? 1 : 0);
        if (first === BRACE) at = skipKey(json, at);
        if (at === -1) return -1;
        continue;
      }
      at++;
    } else at = skipScalar(bytes, at);
    if (at === -1) return -1;
    while (true) {
      if (depth === 0) return at;
      const isInObject = (kinds & 1) === 1;
      at = skipSpace(bytes, at);
      const next = bytes[at];
      at++;
      if (next === COMMA) {
        at = skipSpace(bytes, at);
        if (isInObject) at = skipKey(json, at);
        if (at === -1) return -1;
        break;
      }
      if (next !== (isInObject ? BRACE_END : BRACKET_END)) return -1;
      depth--;
      kinds >>= 1;
    }
  }
}

/** A key and its colon. */
function skipKey(json: JsonBytes, start: number): number {
  if (json.bytes[start] !== QUOTE) return -1;
  const at = skipString(json, start + 1);
  return at === -1 ? -1 : skipColon(json.bytes, at);
}

export function skipColon(bytes: Buffer, start: number): number {
  const at = skipSpace(bytes, start);
  return bytes[at] === COLON ? skipSpace(bytes, at + 1) : -1;
}

/** A string, from behind its opening quote. */
function skipString({ bytes, view, lastWord }: JsonBytes, start: number): number {
  for (let at = start; ;) {
    // Four bytes at a time while none of them is a quote, a backslash or a control character: subtracting a byte's
    // value borrows into the highest bit of every byte that is less. The test may report a byte that is none of these,
    // but never misses one.
    while (at < lastWord) {
      const word = view.getInt32(at, true);
      const quotes = word ^ 0x22222222;
      const slashes = word ^ 0x5c5c5c5c;
      const controls = (word - 0x20202020) & ~word;
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
    const byte = bytes[at]!;
    const lower = byte | 0x20;
    if (!(isDigit(byte) || (lower >= 0x61 && lower <= 0x66))) return false;
  }
  return true;
}

function skipScalar(bytes: Buffer, start: number): number {
  const first = bytes[start];
  if (first === TRUE[0]) return skipWord(bytes, start, TRUE);
  if (first === FALSE[0]) return skipWord(bytes, start, FALSE);
  if (first === NULL[0]) return skipWord(bytes, start, NULL);
  let at = first === MINUS ? start + 1 : start;
  if (bytes[at] === ZERO) at++;
  else at = skipDigits(bytes, at);
  if (at !== -1 && bytes[at] === DOT) at = skipDigits(bytes, at + 1);
  if (at !== -1 && (bytes[at]! | 0x20) === 0x65) {
    const sign = bytes[at + 1];
    at = skipDigits(bytes, sign === MINUS || sign === PLUS ? at + 2 : at + 1);
  }
  return at;
}

function skipDigits(bytes: Buffer, start: number): number {
  let at = start;
  while (isDigit(bytes[at]!)) at++;
  return at === start ? -1 : at;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}

function skipWord(bytes: Buffer, start: number, word: Buffer): number {
  for (let at = 0; at < word.length; at++) if (bytes[start + at] !== word[at]) return -1;
  return start + word.length;
}

/** Spaces and tabs. A carriage return within a line is left to `JSON.parse`. */
export function skipSpace(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === SPACE || bytes[at] === TAB) at++;
  return at;
}
