import { describe, expect, test } from 'vitest';
import {
  hasLostAnswers,
  isListNeeded,
  isNews,
  jobsToConfirm,
  unconfirmed,
} from '../../../src/activities/sweep/trust.js';
import type { WatchedJob } from '../../../src/contract/account-watch.js';

const NOW = 1_700_000_000;
const poll = { minMs: 5_000, maxMs: 300_000 };

/** A batch that was created an hour ago, so that it would be polled every 5 minutes, less a fifth. */
const job = (changes: Partial<WatchedJob> = {}): WatchedJob => ({
  kind: 'batches',
  id: 'batch_1',
  status: 'in_progress',
  workflowId: 'a',
  createdAt: NOW - 3_600,
  expiresAt: null,
  counts: { total: 10, completed: 4, failed: 1 },
  steps: null,
  confirmedAt: NOW - 400,
  ...changes,
});
const jobs = (count: number): WatchedJob[] =>
  Array.from({ length: count }, (_, index) => job({ id: `batch_${index}`, confirmedAt: NOW - 400 + index }));

describe('jobs that are read although the list shows them', () => {
  test.each([
    [1, 1],
    [3, 3],
    [4, 2],
    [9, 1],
    [100, 1],
  ])('%i open jobs, none of them confirmed → %i', (open, expected) => {
    expect(jobsToConfirm(jobs(open), NOW, poll).map(({ id }) => id)).toEqual(jobs(expected).map(({ id }) => id));
  });

  test('the one that was not confirmed for the longest time comes first', () => {
    const shuffled = [job({ id: 'b', confirmedAt: NOW - 300 }), job({ id: 'c', confirmedAt: 0 }), job({ id: 'a' })];
    expect(unconfirmed(shuffled, NOW, poll).map(({ id }) => id)).toEqual(['c', 'a', 'b']);
  });

  test.each([
    ['confirmed within the interval at which a run polls', { confirmedAt: NOW - 200 }],
    ['young, and confirmed just now', { createdAt: NOW - 10, confirmedAt: NOW - 3 }],
  ])('%s → none', (_, changes) => {
    expect(jobsToConfirm([job(changes)], NOW, poll)).toEqual([]);
  });

  test('young, and not confirmed for some seconds → it is read', () => {
    expect(jobsToConfirm([job({ createdAt: NOW - 10, confirmedAt: NOW - 6 })], NOW, poll)).toHaveLength(1);
  });
});

describe('whether the list is read', () => {
  test.each<[string, boolean, WatchedJob[], number | undefined]>([
    ['three jobs', true, jobs(3), NOW - 10],
    ['two jobs', false, jobs(2), NOW - 10],
    ['two jobs, and no list so far', true, jobs(2), undefined],
    ['two jobs, and a list from an hour ago', true, jobs(2), NOW - 3_600],
    ['a young job, beside which others may start', true, [job({ createdAt: NOW - 100 })], NOW - 10],
    ['a job without a time', true, [job({ createdAt: null })], NOW - 10],
  ])('%s → %s', (_, isNeeded, open, listReadAt) => {
    expect(isListNeeded(open, NOW, listReadAt)).toBe(isNeeded);
  });
});

describe('what an entry of the list says', () => {
  test.each<[string, boolean, boolean, Partial<WatchedJob>]>([
    ['the same', false, false, {}],
    ['no counts', false, false, { counts: null }],
    ['more answers', true, false, { counts: { total: 10, completed: 5, failed: 1 } }],
    ['fewer answers', true, true, { counts: { total: 10, completed: 3, failed: 1 } }],
    ['another status', true, false, { status: 'finalizing' }],
  ])('%s → news: %s, behind: %s', (_, news, behind, changes) => {
    expect([isNews(job(), job(changes)), hasLostAnswers(job(), job(changes))]).toEqual([news, behind]);
  });

  test('the first counts → news', () => {
    expect(isNews(job({ counts: null }), job())).toBe(true);
  });
});
