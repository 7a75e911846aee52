/** Kinds of JSON values, and how messages name them. */
export { isObject } from '../contract/is-object.js';

/**
 * The kind of a value for a message, which never quotes the value. The symbols of a field scanner are described by
 * their kind.
 */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (value === '') return 'an empty string';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'symbol') return value.description ?? 'a symbol';
  return `a ${typeof value}`;
}

/** The fault of a value of the wrong kind: `must be an object, not a number`, or `missing; must be an object`. */
export function mustBe(expected: string, value: unknown): string {
  return value === undefined ? `missing; must be ${expected}` : `must be ${expected}, not ${kindOf(value)}`;
}
