import { describe, expect, test } from 'vitest';
import {
  BATCH_STATUS_RULES,
  BATCH_STATUSES,
  FINE_TUNING_STATUS_RULES,
  FINE_TUNING_STATUSES,
  isBatchEnd,
  isFineTuningEnd,
} from '../../../src/contract/status.js';

const BATCH_ENDS = ['completed', 'failed', 'expired', 'cancelled'];
const FINE_TUNING_ENDS = ['succeeded', 'failed', 'cancelled'];

test('batch status: every documented one → known, and an end only if allow-listed', () => {
  expect(BATCH_STATUSES.filter(isBatchEnd).toSorted()).toEqual(BATCH_ENDS.toSorted());
  expect(BATCH_STATUSES.every(BATCH_STATUS_RULES.isKnown)).toBe(true);
  expect(BATCH_STATUSES).toEqual(expect.arrayContaining(['validating', 'in_progress', 'finalizing', 'cancelling']));
});

test('fine-tuning status: every documented one and paused → known, and an end only if allow-listed', () => {
  expect(FINE_TUNING_STATUSES.filter(isFineTuningEnd).toSorted()).toEqual(FINE_TUNING_ENDS.toSorted());
  expect(FINE_TUNING_STATUSES.every(FINE_TUNING_STATUS_RULES.isKnown)).toBe(true);
  expect(FINE_TUNING_STATUSES).toEqual(expect.arrayContaining(['validating_files', 'queued', 'running', 'paused']));
});

test("status: one job's end → no end of the other's", () => {
  expect(isBatchEnd('succeeded')).toBe(false);
  expect(isFineTuningEnd('completed')).toBe(false);
  expect(isFineTuningEnd('expired')).toBe(false);
});

describe('step back of a batch', () => {
  test.each([
    ['in_progress', 'validating', true],
    ['finalizing', 'in_progress', true],
    ['finalizing', 'validating', true],
    ['cancelling', 'in_progress', true],
    ['cancelling', 'finalizing', true],
    ['completed', 'finalizing', true],
    ['cancelled', 'cancelling', true],
    ['validating', 'validating', false],
    ['validating', 'in_progress', false],
    ['validating', 'failed', false],
    ['in_progress', 'completed', false],
    ['in_progress', 'cancelling', false],
    // A batch that is being cancelled may still end completed.
    ['cancelling', 'completed', false],
    ['cancelling', 'cancelled', false],
    ['finalizing', 'expired', false],
    ['paused_by_provider', 'validating', false],
    ['in_progress', 'paused_by_provider', false],
  ])('%s, then %s → %s', (known, next, expected) => {
    expect(BATCH_STATUS_RULES.isStepBack(known, next)).toBe(expected);
  });
});

describe('step back of a fine-tuning job', () => {
  test.each([
    ['queued', 'validating_files', true],
    ['running', 'validating_files', true],
    ['paused', 'validating_files', true],
    ['validating_files', 'validating_files', false],
    ['validating_files', 'queued', false],
    // Resuming a paused job puts it back in the queue.
    ['paused', 'queued', false],
    ['running', 'queued', false],
    ['running', 'paused', false],
    ['paused', 'running', false],
    ['running', 'succeeded', false],
    // A provider's own status says nothing about the order.
    ['compressing', 'validating_files', false],
    ['running', 'compressing', false],
  ])('%s, then %s → %s', (known, next, expected) => {
    expect(FINE_TUNING_STATUS_RULES.isStepBack(known, next)).toBe(expected);
  });
});

test('step back: a batch that ends → never one, whatever it was before its end', () => {
  for (const known of BATCH_STATUSES.filter((status) => !isBatchEnd(status))) {
    expect(BATCH_ENDS.filter((end) => BATCH_STATUS_RULES.isStepBack(known, end))).toEqual([]);
  }
});
