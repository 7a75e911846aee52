import type OpenAI from 'openai';
import { misleadingRead } from '../job-reads.js';
import { epochSeconds, type WireBatch } from '../wire.js';
import { answeredRequests, batchTransitions, type BatchRecord } from './batch-record.js';
import { isBatchEnd, type BatchStatus } from './batch-timeline.js';
import type { ResultUsage } from './write-results.js';

/** The batch as the API shows it at `now`, before any scenario distorts it. */
export function batchObject(record: BatchRecord, now: number): WireBatch {
  const transitions = batchTransitions(record, now);
  const { status } = transitions.at(-1)!;
  const enteredAt = (entered: BatchStatus): number | null => {
    const transition = transitions.find((candidate) => candidate.status === entered);
    return transition === undefined ? null : epochSeconds(transition.at);
  };
  const { inspection, params } = record;
  const results = isBatchEnd(status) ? record.results : null;
  return {
    id: record.id,
    object: 'batch',
    endpoint: params.endpoint,
    model: status === 'validating' ? null : (inspection?.model ?? null),
    errors: status === 'failed' ? { object: 'list', data: errorsOf(record) } : null,
    input_file_id: params.inputFileId,
    completion_window: params.completionWindow,
    status,
    output_file_id: results?.outputFileId ?? null,
    error_file_id: results?.errorFileId ?? null,
    created_at: epochSeconds(record.createdAt),
    in_progress_at: enteredAt('in_progress'),
    expires_at: epochSeconds(record.plan.expiresAt),
    finalizing_at: enteredAt('finalizing'),
    completed_at: enteredAt('completed'),
    failed_at: enteredAt('failed'),
    expired_at: enteredAt('expired'),
    cancelling_at: enteredAt('cancelling'),
    cancelled_at: enteredAt('cancelled'),
    request_counts: countsOf(record, status, now),
    usage: results === null ? null : usageObject(results.usage),
    metadata: params.metadata,
  };
}

function errorsOf({ inspection, scenario }: BatchRecord): OpenAI.BatchError[] {
  return [...(scenario.failWith ?? inspection?.errors ?? [])];
}

function countsOf(record: BatchRecord, status: BatchStatus, now: number): OpenAI.BatchRequestCounts {
  const { inspection, failedAmongFirst } = record;
  // The API counts nothing until the file is checked, nor when it is refused.
  if (inspection === null || status === 'validating' || status === 'failed') {
    return { total: 0, completed: 0, failed: 0 };
  }
  const answered = answeredRequests(record, now);
  const failed = failedAmongFirst?.[answered] ?? 0;
  return { total: inspection.total, completed: answered - failed, failed };
}

function usageObject({ input, output }: ResultUsage): OpenAI.BatchUsage {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + output,
  };
}

/** What a read of the batch returns: the object as its scenario distorts it, or undefined for one that has vanished. */
export function shownBatch(record: BatchRecord, now: number, { counted }: { counted: boolean }): unknown {
  const { scenario } = record;
  const entered = batchTransitions(record, now).map(({ status }) => status);
  const batch = misleadingRead(record, entered, { now, counted }, (time) => batchObject(record, time));
  if (batch === undefined) return undefined;
  const { request_counts: counts } = batch;
  const shown: WireBatch = {
    ...batch,
    request_counts: scenario.counts === undefined || counts === null ? counts : scenario.counts(counts),
    error_file_id: scenario.emptyErrorFile === 'empty-id' ? (batch.error_file_id ?? '') : batch.error_file_id,
  };
  return scenario.show === undefined ? shown : scenario.show(shown);
}
