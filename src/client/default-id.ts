import { randomBytes } from 'node:crypto';

/** So much of the input's name is in a workflow id, in characters. */
const MAX_NAME = 40;
/** 50 bits: two starts of the same name must not meet, since the second would get the run of the first. */
const RANDOM_LENGTH = 10;
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';

/**
 * A workflow id by which a person recognises the run in a list, such as `batch-reviews-x4k2m9q7ab`.
 *
 * @param kind such as `batch`
 * @param input a URI, of which the file's name without its extension counts, or an id; null for none
 */
export function defaultWorkflowId(kind: string, input: string | null): string {
  const random = Array.from(randomBytes(RANDOM_LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
  return [kind, ...(input === null ? [] : [nameOf(input)]), random].filter((part) => part !== '').join('-');
}

function nameOf(input: string): string {
  const last = decoded(input.split('/').findLast((segment) => segment !== '') ?? '');
  return last
    .replace(/\.(jsonl|ndjson|json|txt)?(\.gz)?$/i, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, MAX_NAME)
    .replace(/^[.-]+|[.-]+$/g, '');
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
