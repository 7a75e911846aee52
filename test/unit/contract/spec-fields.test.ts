import { expect, test } from 'vitest';
import { JOB_KEY } from '../../../src/contract/job-key.js';
import { parseSpec } from '../../../src/contract/parse-spec.js';
import { toMs } from '../../../src/contract/duration.js';
import {
  deadlineSchema,
  durationSchema,
  idSchema,
  linkSchema,
  metadataSchema,
} from '../../../src/contract/spec-fields.js';

const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`key-${index}`, 'v']));
const messagesOf = (metadata: unknown) => parseSpec(metadataSchema, metadata).report?.faults;

test('metadata: 15 pairs with the longest keys and values → accepted', () => {
  const metadata = Object.fromEntries(
    Array.from({ length: 15 }, (_, index) => [String(index).padEnd(64, 'k'), 'v'.repeat(512)]),
  );
  expect(metadataSchema.parse(metadata)).toEqual(metadata);
  expect(metadataSchema.parse({ empty: '' })).toEqual({ empty: '' });
});

test('metadata: a 16th pair → refused with both limits and the name of the one that the library needs', () => {
  expect(metadataSchema.safeParse(pairs(15)).success).toBe(true);
  expect(messagesOf(pairs(16))).toEqual([
    { message: 'must have at most 15 pairs: the API allows 16, and "temporal_llm_job" is reserved' },
  ]);
});

test.each<[why: string, metadata: unknown, field: string, message: string]>([
  ['the reserved key', { [JOB_KEY]: 'x' }, JOB_KEY, `the metadata key "${JOB_KEY}" is reserved`],
  [
    'a key of 65 characters',
    { ['k'.repeat(65)]: 'x' },
    'k'.repeat(65),
    'a metadata key must have at most 64 characters',
  ],
  ['a value of 513 characters', { a: 'v'.repeat(513) }, 'a', 'a metadata value must have at most 512 characters'],
  ['a number for a value', { a: 1 }, 'a', 'Invalid input: expected string, received number'],
  ['null for a value', { a: null }, 'a', 'Invalid input: expected string, received null'],
])('metadata: %s → refused, naming the pair', (_, metadata, field, message) => {
  expect(messagesOf(metadata)).toEqual([{ field, message }]);
});

test('metadata: an empty key → refused', () => {
  expect(messagesOf({ '': 'x' })).toEqual([{ message: 'a metadata key must not be empty' }]);
});

test.each<[duration: string | number, ms: number]>([
  [0, 0],
  ['0', 0],
  ['250ms', 250],
  ['7 Days', 604_800_000],
  ['90s', 90_000],
  ['1.5h', 5_400_000],
  ['5 minutes', 300_000],
  ['24h', 86_400_000],
  ['14d', 1_209_600_000],
  ['3650d', 315_360_000_000],
])('duration: %j → %i ms', (duration, ms) => {
  expect(toMs(durationSchema.parse(duration))).toBe(ms);
});

test.each([
  -1,
  5,
  90_000,
  '250',
  '1e3',
  '1.5',
  '-5s',
  '',
  ' ',
  '5 parsecs',
  'h',
  'Infinity',
  Infinity,
  Number.NaN,
  null,
  [],
  { hours: 1 },
  `${'1'.repeat(40)}s`,
  '11y',
  '9999999999999999 years',
  1e300,
])('duration: %j → refused', (duration) => {
  expect(parseSpec(durationSchema, duration).report?.faults).toEqual([
    { message: "must be a duration with a unit, such as '90s', '5m' or '24h', of at most ten years" },
  ]);
});

test.each([1_000_000_000, 1_800_000_000, 1_800_000_000.5, 100_000_000_000, '6h', '30d', '0'])(
  'deadline: %j → accepted',
  (deadline) => {
    expect(deadlineSchema.parse(deadline)).toBe(deadline);
  },
);

test.each<[why: string, deadline: unknown]>([
  ['milliseconds of a moment (Date.now())', 1_800_000_000_000],
  ['a duration in seconds', 21_600],
  ['a duration in milliseconds', 21_600_000],
  ['an ISO time', '2027-01-01T00:00:00Z'],
  ['a Date', new Date(0)],
  ['a negative moment', -1],
  ['a negative duration', '-6h'],
  ['nothing', ''],
  ['null', null],
])('deadline: %s → refused with what a deadline looks like', (_, deadline) => {
  expect(parseSpec(deadlineSchema, deadline).report?.faults).toEqual([
    { message: "must be a time in epoch seconds, or a duration from the start such as '6h'" },
  ]);
});

test.each([
  'file-abc123',
  'batch_67fe',
  'ftjob-1',
  '.hidden',
  '...',
  'a..b',
  'litellm_proxy:application/octet-stream'.replace('/', ';'),
  'bGl0ZWxsbQ==',
  'f'.repeat(512),
])('id: %s → accepted', (id) => {
  expect(idSchema.parse(id)).toBe(id);
});

test.each([
  '',
  ' ',
  'a/b',
  '../files',
  '.',
  '..',
  'a\\b',
  'a?limit=1',
  'a#b',
  'a b',
  'a\nb',
  'a\u2028b',
  'f'.repeat(513),
  7,
  null,
])('id: %j, which would ask for something else → refused', (id) => {
  expect(idSchema.safeParse(id).success).toBe(false);
});

test.each(['https://platform.openai.com/batches/{id}', 'http://localhost:3000/#/jobs/{id}?tab=files&from={id}'])(
  'link: %s → accepted',
  (link) => {
    expect(linkSchema.safeParse(link).success).toBe(true);
  },
);

test.each([
  'https://platform.openai.com/batches',
  'javascript:alert({id})',
  'https://evil.example/{id})](https://other.example',
  'https://a.example/{id} b',
  `https://a.example/${'x'.repeat(1_000)}{id}`,
])('link: %s → refused', (link) => {
  expect(linkSchema.safeParse(link).success).toBe(false);
});
