import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { JOB_KEY, jobKeyOf, jobOwnerOf } from '../../../src/contract/job-key.js';
import { METADATA_LIMITS } from '../../../src/contract/limits.js';

test('job key: the name of the pair → within the limit of a metadata key', () => {
  expect(JOB_KEY).toBe('temporal_llm_job');
  expect(JOB_KEY.length).toBeLessThanOrEqual(METADATA_LIMITS.keyLength);
});

test('job key: namespace, workflow and run → one readable value', () => {
  expect(jobKeyOf({ namespace: 'default', workflowId: 'batch-1', runId: 'r' })).toBe('default/batch-1/r');
});

test.each(['orders/2026/11', '/', '//', 'a/', '/a', `${randomUUID()}/${randomUUID()}`])(
  'job key: workflow id %j with slashes → the same owner back',
  (id) => {
    const owner = { namespace: 'default', workflowId: id, runId: randomUUID() };
    expect(jobOwnerOf(jobKeyOf(owner))).toEqual(owner);
  },
);

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
