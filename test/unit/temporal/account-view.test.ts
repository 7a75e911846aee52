import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { isAnnouncedJob, type WatchedJob } from '../../../src/contract/account-watch.js';
import { decodeView, encodeView, timeOfView, type AccountView } from '../../../src/temporal/account-view.js';

const job = (index: number): WatchedJob => ({
  kind: index % 2 === 0 ? 'batches' : 'fineTuning',
  id: `job-${index}`,
  status: 'in_progress',
  workflowId: `bulk/r1-p${index}`,
  createdAt: index === 0 ? null : 1_700_000_000 + index,
  expiresAt: null,
  counts: index % 2 === 0 ? { total: 9, completed: index, failed: 1 } : null,
  steps: index % 2 === 0 ? null : { done: index, total: index % 3 === 0 ? null : 99 },
  confirmedAt: index === 0 ? 0 : 1_700_000_100 + index,
});
const view = (jobs: number): AccountView => ({
  at: 1_700_000_000,
  listedAt: { batches: 1_699_999_999 },
  jobs: Array.from({ length: jobs }, (_, index) => job(index)),
  told: ['job-a'],
});
const packed = (value: unknown) => ({ view: gzipSync(JSON.stringify(value)).toString('base64') });

describe('the view of an account', () => {
  test.each([0, 1, 5_000])('%i jobs → the same after heartbeat details carried it', (jobs) => {
    expect(decodeView(JSON.parse(JSON.stringify(encodeView(view(jobs)))))).toEqual(view(jobs));
  });

  test('its time → known without the jobs', () => {
    expect(timeOfView(encodeView(view(3)))).toBe(1_700_000_000);
    expect(timeOfView({ view: '' })).toBeNull();
    expect(timeOfView(undefined)).toBeNull();
  });

  test('10,000 jobs → well below 2 MB', () => {
    expect(JSON.stringify(encodeView(view(10_000))).length).toBeLessThan(1_000_000);
  });

  test('more jobs than fit → the newest', () => {
    const kept = decodeView(encodeView(view(15_010)))!.jobs;
    expect([kept.length, kept[0]?.id, kept.at(-1)?.id]).toEqual([15_000, 'job-10', 'job-15009']);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['details of another activity', { pauseMs: 5 }],
    ['no base64', { view: '~~' }],
    ['no gzip', { view: Buffer.from('{}').toString('base64') }],
    ['another shape', packed({ at: 'now' })],
    ['a job of another kind', packed({ ...view(0), jobs: [['evals', 'x', 'y', 'z', null, null, null]] })],
  ])('%s → null', (_, details) => {
    expect(decodeView(details)).toBeNull();
  });
});

describe('an announced job', () => {
  const announced = { ...job(2), counts: undefined };
  test('of the library → accepted', () => {
    expect(isAnnouncedJob(announced)).toBe(true);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a text', 'batch_1'],
    ['no id', { ...announced, id: '' }],
    ['an id without end', { ...announced, id: 'x'.repeat(1_001) }],
    ['another kind', { ...announced, kind: 'evals' }],
    ['a time that is none', { ...announced, createdAt: 'yesterday' }],
    ['no workflow id', { ...announced, workflowId: undefined }],
  ])('%s → refused', (_, value) => {
    expect(isAnnouncedJob(value)).toBe(false);
  });
});
