/** Workflow ids of the runs of a bulk batch's parts. */

/** The server refuses ids of more than 1,000 bytes. This leaves space for the name of the part. */
const MAX_PARENT_BYTES = 960;

/** Each UTF-16 unit takes three bytes at most. */
const MAX_PARENT_LENGTH = MAX_PARENT_BYTES / 3;

/**
 * The id of the bulk batch with the name of the part. A longer id is cut, and ends in a hash of the whole: the parts of
 * two bulk batches whose ids begin alike have different ids.
 */
export function partRunIdOf(parentId: string, name: string): string {
  const bytes = new TextEncoder().encode(parentId).length;
  return `${bytes > MAX_PARENT_BYTES ? cutWithHash(parentId) : parentId}/${name}`;
}

function cutWithHash(text: string): string {
  const hash = hashOf(text);
  return `${text.slice(0, MAX_PARENT_LENGTH - hash.length - 1).toWellFormed()}.${hash}`;
}

/** Sixteen hex digits. Not cryptographic: workflows have no hash of Node's, and must replay with this one. */
function hashOf(text: string): string {
  let first = 0xdeadbeef;
  let second = 0x41c6ce57;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    first = Math.imul(first ^ unit, 0x9e3779b1);
    second = Math.imul(second ^ unit, 0x5f356495);
  }
  first = Math.imul(first ^ (first >>> 16), 0x85ebca6b) ^ Math.imul(second ^ (second >>> 13), 0xc2b2ae35);
  second = Math.imul(second ^ (second >>> 16), 0x85ebca6b) ^ Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return [second, first].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
