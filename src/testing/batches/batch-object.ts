import type OpenAI from 'openai';
import { epochSeconds, type WireBatch } from '../wire.js';
import { answeredBy, timelineOf, type BatchRecord } from './batch-record.js';
import { isEnd, passed, type BatchStatus } from './batch-timeline.js';

/** The batch as the API shows it at `now`, before any scenario distorts it. */
export function batchObject(record: BatchRecord, now: number): WireBatch {
  const transitions = passed(timelineOf(record), now);
  const status = transitions.at(-1)!.status;
  const entered = (wanted: BatchStatus): number | null => {
    const transition = transitions.find((candidate) => candidate.status === wanted);
    return transition === undefined ? null : epochSeconds(transition.at);
  };
  const { inspection, order, results } = record;
  const ended = isEnd(status);
  const checked = status !== 'validating' && inspection !== undefined;
  return {
    id: record.id,
    object: 'batch',
    endpoint: order.endpoint,
    model: checked ? inspection.model : null,
    errors: status === 'failed' ? { object: 'list', data: errorsOf(record) } : null,
    input_file_id: order.inputFileId,
    completion_window: order.completionWindow,
    status,
    output_file_id: ended ? (results?.outputFileId ?? null) : null,
    error_file_id: ended ? (results?.errorFileId ?? null) : null,
    created_at: epochSeconds(record.plan.createdAt),
    in_progress_at: entered('in_progress'),
    expires_at: epochSeconds(record.plan.expiresAt),
    finalizing_at: entered('finalizing'),
    completed_at: entered('completed'),
    failed_at: entered('failed'),
    expired_at: entered('expired'),
    cancelling_at: entered('cancelling'),
    cancelled_at: entered('cancelled'),
    request_counts: countsOf(record, status, now),
    usage: ended && results !== undefined ? usageOf(results.usage) : null,
    metadata: order.metadata,
  };
}

function errorsOf({ inspection, scenario }: BatchRecord): OpenAI.BatchError[] {
  return scenario.failWith === undefined ? (inspection?.errors ?? []) : [...scenario.failWith];
}

function countsOf(record: BatchRecord, status: BatchStatus, now: number): OpenAI.BatchRequestCounts {
  // counts are all 0 until the file is checked, and when it is refused
  if (record.inspection === undefined || status === 'validating' || status === 'failed') {
    return { total: 0, completed: 0, failed: 0 };
  }
  const answered = answeredBy(record, now);
  const failed = record.failedAmongFirst?.[answered] ?? 0;
  return { total: record.inspection.total, completed: answered - failed, failed };
}

function usageOf({ input, output }: { input: number; output: number }): OpenAI.BatchUsage {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + output,
  };
}

/** What a read of the batch answers: the object with its scenario's distortions, or undefined where it has vanished. */
export function shownBatch(record: BatchRecord, now: number, { counted }: { counted: boolean }): unknown {
  const { scenario, reads, plan } = record;
  const statuses = passed(timelineOf(record), now).map((transition) => transition.status);
  if (scenario.vanishAfterMs !== undefined && now >= plan.createdAt + scenario.vanishAfterMs) return undefined;
  if (scenario.vanishIn !== undefined && statuses.includes(scenario.vanishIn)) return undefined;
  const status = statuses.at(-1)!;
  let at = now;
  if (scenario.staleReads !== undefined && counted && status !== 'validating') {
    // the first read shows the truth, so that the next ones are seen to step back
    reads.stale += 1;
    if (reads.stale > 1 && reads.stale <= 1 + scenario.staleReads) at = plan.createdAt;
  }
  return distorted(record, batchObject(record, at), counted);
}

function distorted(record: BatchRecord, batch: WireBatch, counted: boolean): unknown {
  const { scenario, reads } = record;
  const foreign = scenario.foreignStatus;
  let shown = batch;
  if (scenario.counts !== undefined && shown.request_counts !== null) {
    shown = { ...shown, request_counts: scenario.counts(shown.request_counts) };
  }
  if (scenario.emptyErrorFile === 'empty-id' && shown.error_file_id === null) shown = { ...shown, error_file_id: '' };
  if (foreign !== undefined && batch.status === foreign.insteadOf && reads.foreign < (foreign.reads ?? Infinity)) {
    if (counted) reads.foreign += 1;
    // the point of the scenario is a status that the type does not have
    shown = { ...shown, status: foreign.status as BatchStatus };
  }
  return scenario.show === undefined ? shown : scenario.show(shown);
}
