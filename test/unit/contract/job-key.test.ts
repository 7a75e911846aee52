import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { isKeyOf, JOB_KEY, jobKeyOf, jobOwnerOf } from '../../../src/contract/job-key.js';
import { METADATA_LIMITS } from '../../../src/contract/limits.js';

test('job key: the name of the pair → within the limit of a metadata key', () => {
  expect(JOB_KEY).toBe('temporal_llm_job');
  expect(JOB_KEY.length).toBeLessThanOrEqual(METADATA_LIMITS.keyLength);
});

test('job key: cluster, namespace, workflow and run → one readable value', () => {
  expect(jobKeyOf({ cluster: 'c', namespace: 'default', workflowId: 'batch-1', runId: 'r' })).toBe(
    'c/default/batch-1/r',
  );
});

test.each(['orders/2026/11', '/', '//', 'a/', '/a', `${randomUUID()}/${randomUUID()}`])(
  'job key: workflow id %j with slashes → the same owner back',
  (id) => {
    const owner = { cluster: randomUUID(), namespace: 'default', workflowId: id, runId: randomUUID() };
    expect(jobOwnerOf(jobKeyOf(owner))).toEqual(owner);
  },
);

test('job key: a workflow id of 1,000 characters → its start and its end, and keys of two runs still differ', () => {
  const owner = { cluster: randomUUID(), namespace: 'default', workflowId: 'w'.repeat(1_000), runId: randomUUID() };
  expect(jobKeyOf(owner)).toHaveLength(512);
  expect(jobOwnerOf(jobKeyOf(owner))?.workflowId).toMatch(/^w{300,}~w{64}$/);
  expect(jobKeyOf({ ...owner, runId: randomUUID() })).not.toBe(jobKeyOf(owner));
});

test('job key: a long workflow id cut in the middle of an emoji → no half of it in the key', () => {
  for (const start of ['', 'x']) {
    const key = jobKeyOf({
      cluster: '-',
      namespace: 'default',
      workflowId: start + '🙂'.repeat(400),
      runId: randomUUID(),
    });
    expect(key.isWellFormed()).toBe(true);
    expect(key.length).toBeLessThanOrEqual(512);
  }
});

test('job key: two parts of a bulk batch with a long workflow id → two keys', () => {
  const keys = ['r1-p1', 'r1-p2'].map((part) =>
    jobKeyOf({ cluster: 'c', namespace: 'n', workflowId: `${'w'.repeat(1_000)}/${part}`, runId: 'r' }),
  );
  expect(keys[0]).not.toBe(keys[1]);
});

test('job key: a cluster with slashes, or none → a key that is still read back', () => {
  const owner = { namespace: 'n', workflowId: 'a/b', runId: 'r' };
  expect(jobOwnerOf(jobKeyOf({ ...owner, cluster: 'a/b' }))).toEqual({ ...owner, cluster: 'a-b' });
  expect(jobOwnerOf(jobKeyOf({ ...owner, cluster: '' }))).toEqual({ ...owner, cluster: '-' });
});

test.each(['w', 'w/r1-p1', 'w'.repeat(1_000)])('job key: workflow id %j → recognised in any cluster', (workflowId) => {
  const owner = { namespace: 'n', workflowId, runId: randomUUID() };
  for (const cluster of ['-', randomUUID()]) {
    const key = jobKeyOf({ ...owner, cluster });
    expect(isKeyOf(key, owner)).toBe(true);
    expect(isKeyOf(key, { ...owner, runId: randomUUID() })).toBe(false);
    expect(isKeyOf(key, { ...owner, namespace: 'other' })).toBe(false);
    expect(isKeyOf(key, { ...owner, workflowId: `${workflowId}0` })).toBe(false);
  }
  expect(isKeyOf('', owner)).toBe(false);
});

test.each(['', 'x', 'x/y', 'x/y/z', '/x/y/z', 'x//y/z', 'no slashes at all'])(
  'job key: %j, which is none of ours → null',
  (key) => {
    expect(jobOwnerOf(key)).toBeNull();
  },
);
