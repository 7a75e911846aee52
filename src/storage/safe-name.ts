import { createHash } from 'node:crypto';

/** Room for a suffix below the 255 bytes that file systems allow a name. */
const MAX_NAME = 120;

/**
 * A file name made of any text, such as a workflow id or a provider's id: equal texts give equal names, and different texts give
 * different ones, since a text that has to be changed gets a piece of its hash.
 */
export function safeName(text: string): string {
  const plain = text.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^\.+/, '');
  if (plain === text && text !== '' && text.length <= MAX_NAME) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return `${plain.slice(0, MAX_NAME)}${plain === '' ? '' : '-'}${hash}`;
}
