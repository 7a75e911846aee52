import { createHash } from 'node:crypto';

/** Leaves space for a suffix: file systems allow names of 255 bytes. */
const MAX_NAME_LENGTH = 120;

/**
 * A file name for any text, such as a workflow id or a provider's id. Equal texts get equal names and different texts
 * get different names: a name that differs from its text ends in a part of the text's hash.
 */
export function safeName(text: string): string {
  const plain = text.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^\.+/, '');
  if (plain === text && text !== '' && text.length <= MAX_NAME_LENGTH) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return `${plain.slice(0, MAX_NAME_LENGTH)}${plain === '' ? '' : '-'}${hash}`;
}
