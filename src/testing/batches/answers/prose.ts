import { randomItem } from '../../random.js';

const OPENINGS = ['In short:', 'Certainly.', 'Here is what I found.', 'To answer that:', 'Briefly put:'];
const CLAUSES = [
  'the evidence points in one direction',
  'several readings are possible',
  'the details depend on the context',
  'this follows from the question itself',
  'the usual advice applies here',
  'a closer look would be worthwhile',
  'the numbers speak for themselves',
  'there is more than one good answer',
];

/** An answer that quotes its question, so that a reader of the results can tell the answers apart. */
export function answerText(question: string, random: () => number): string {
  const quoted = question.replaceAll(/\s+/gu, ' ').trim().slice(0, 80);
  const sentences = Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
    const clause = randomItem(CLAUSES, random);
    return `${clause[0]!.toUpperCase()}${clause.slice(1)}.`;
  });
  return [randomItem(OPENINGS, random), `You asked "${quoted}".`, ...sentences].join(' ');
}

/** A schema may refer to itself. */
const MAX_DEPTH = 12;

/** A value that fits a JSON schema, for structured outputs. Covers the keywords that the API supports. */
export function valueOfSchema(schema: unknown, text: string, random: () => number): unknown {
  const build = (node: unknown, depth: number): unknown => {
    if (typeof node !== 'object' || node === null || depth > MAX_DEPTH) return null;
    const { type, properties, items, enum: values, anyOf, $ref, const: constant } = node as Record<string, unknown>;
    if (constant !== undefined) return constant;
    if (Array.isArray(values)) return randomItem(values, random);
    if (Array.isArray(anyOf)) return build(anyOf[0], depth + 1);
    if (typeof $ref === 'string') return build(resolveReference(schema, $ref), depth + 1);
    switch (Array.isArray(type) ? type[0] : type) {
      case 'object':
        return Object.fromEntries(
          Object.entries((properties as Record<string, unknown> | undefined) ?? {}).map(([name, property]) => [
            name,
            build(property, depth + 1),
          ]),
        );
      case 'array':
        return [build(items, depth + 1)];
      case 'integer':
        return Math.floor(inRange(node, random, 1));
      case 'number':
        return Math.round(inRange(node, random, 0) * 10) / 10;
      case 'boolean':
        return random() < 0.5;
      case 'string':
        return text;
      default:
        return null;
    }
  };
  return build(schema, 0);
}

function resolveReference(root: unknown, ref: string): unknown {
  return ref
    .split('/')
    .slice(1)
    .reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], root);
}

/**
 * A number from the schema's `minimum` (or 0) to its `maximum` (or 99 more).
 *
 * @param step 1 for whole numbers, so that the maximum is reached; 0 otherwise
 */
function inRange(schema: { minimum?: unknown; maximum?: unknown }, random: () => number, step: number): number {
  const low = typeof schema.minimum === 'number' ? schema.minimum : 0;
  const high = typeof schema.maximum === 'number' ? schema.maximum : low + 99;
  return low + random() * (high - low + step);
}
