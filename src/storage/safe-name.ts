import { createHash } from 'node:crypto';

/** Leaves space for a suffix: file systems allow names of 255 bytes. */
const MAX_NAME_LENGTH = 120;
const HASH_LENGTH = 16;

/** What every file system keeps as it is. Capitals are not among it: some file systems do not tell them apart. */
const PLAIN = /^[a-z0-9_-][a-z0-9._-]*(?<!\.)$/;
/** The suffix of a changed name, so that no text is the name of another. */
const WITH_HASH = new RegExp(`--[0-9a-f]{${HASH_LENGTH}}$`);
/** Names of devices on Windows, with any extension. */
const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * A file name for any text, such as a workflow id or a provider's id. Equal texts get equal names, and different texts
 * get different names on every file system, also on one that ignores case. A text of up to 120 lower-case letters,
 * digits and `.`, `_`, `-` is its own name; any other ends in `--` and a part of the text's hash.
 */
export function safeName(text: string): string {
  const isOwnName = text.length <= MAX_NAME_LENGTH && PLAIN.test(text) && !WITH_HASH.test(text) && !RESERVED.test(text);
  if (isOwnName) return text;
  const plain = text.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^\.+/, '');
  const start = `${RESERVED.test(plain) ? '_' : ''}${plain}`.slice(0, MAX_NAME_LENGTH);
  return `${start}--${createHash('sha256').update(text).digest('hex').slice(0, HASH_LENGTH)}`;
}
