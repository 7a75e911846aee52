import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { JOB_KEY, jobKeyOf, jobOwnerOf } from '../../../src/contract/job-key.js';
import { METADATA_LIMITS } from '../../../src/contract/limits.js';
import { RUNS, anyText } from '../../support/fuzz.js';

/** Temporal's own words: a namespace has no slash, a run id is a UUID, a workflow id is any text. */
const namespace = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/);
const runId = fc.uuid();
const workflowId = fc.oneof(
  fc.string({ minLength: 1, maxLength: 200 }),
  fc.array(fc.stringMatching(/^[a-z]{0,8}$/), { maxLength: 20 }).map((parts) => parts.join('/')),
);

test('job key: the name of the pair → within the limit of a metadata key', () => {
  expect(JOB_KEY).toBe('temporal_llm_job');
  expect(JOB_KEY.length).toBeLessThanOrEqual(METADATA_LIMITS.keyLength);
});

test('job key: namespace, workflow and run → one readable value', () => {
  expect(jobKeyOf({ namespace: 'default', workflowId: 'batch-1', runId: 'r' })).toBe('default/batch-1/r');
});

test('job key: any owner whose ids fit → the same owner back', () => {
  fc.assert(
    fc.property(fc.record({ namespace, workflowId, runId }), (owner) => {
      fc.pre(owner.workflowId.isWellFormed());
      expect(jobOwnerOf(jobKeyOf(owner))).toEqual(owner);
    }),
    RUNS,
  );
});

test.each(['orders/2026/11', '/', '//', 'a/', '/a', `${randomUUID()}/${randomUUID()}`])(
  'job key: workflow id %j with slashes → the same owner back',
  (id) => {
    const owner = { namespace: 'default', workflowId: id, runId: randomUUID() };
    expect(jobOwnerOf(jobKeyOf(owner))).toEqual(owner);
  },
);

test('job key: ids of any length and content → at most 512 characters, well-formed, and the run id whole', () => {
  const long = fc.tuple(anyText, fc.integer({ min: 1, max: 300 })).map(([text, times]) => text.repeat(times));
  fc.assert(
    fc.property(fc.oneof(namespace, fc.stringMatching(/^[a-z]{100,400}$/)), long, runId, (space, id, run) => {
      const key = jobKeyOf({ namespace: space, workflowId: id, runId: run });
      expect(key.length).toBeLessThanOrEqual(METADATA_LIMITS.valueLength);
      expect(key.isWellFormed()).toBe(true);
      expect(jobOwnerOf(key)?.runId).toBe(run);
      // What the provider sends back compares equal.
      expect(JSON.parse(Buffer.from(JSON.stringify({ key })).toString('utf8'))).toEqual({ key });
    }),
    RUNS,
  );
});

test('job key: a workflow id of 1,000 characters → its start, and keys of two runs still differ', () => {
  const owner = { namespace: 'default', workflowId: 'w'.repeat(1_000), runId: randomUUID() };
  expect(jobKeyOf(owner)).toHaveLength(512);
  expect(jobOwnerOf(jobKeyOf(owner))?.workflowId).toMatch(/^w{400,}$/);
  expect(jobKeyOf({ ...owner, runId: randomUUID() })).not.toBe(jobKeyOf(owner));
});

test('job key: a long workflow id cut in the middle of an emoji → no half of it in the key', () => {
  for (const start of ['', 'x']) {
    const key = jobKeyOf({ namespace: 'default', workflowId: start + '🙂'.repeat(400), runId: randomUUID() });
    expect(key.isWellFormed()).toBe(true);
    expect(key.length).toBeLessThanOrEqual(512);
  }
});

test.each(['', 'x', 'x/y', '/x/y', 'no slashes at all'])('job key: %j, which is none of ours → null', (key) => {
  expect(jobOwnerOf(key)).toBeNull();
});
