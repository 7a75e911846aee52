import type OpenAI from 'openai';
import { foreignStatusOf, hasVanished, stepsBack } from '../read-scenario.js';
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
  // Counts are all 0 until the file is checked, and when it is refused.
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
  const { scenario, plan } = record;
  const statuses = passed(timelineOf(record), now).map((transition) => transition.status);
  if (hasVanished(scenario, statuses, now - plan.createdAt)) return undefined;
  const read = { scenario, counters: record.reads, counted };
  const batch = batchObject(record, stepsBack(read, statuses.length > 1) ? plan.createdAt : now);
  // The point of a foreign status is that the type does not have it.
  const status = (foreignStatusOf(read, batch.status) ?? batch.status) as BatchStatus;
  const shown: WireBatch = {
    ...batch,
    status,
    request_counts:
      scenario.counts === undefined || batch.request_counts === null
        ? batch.request_counts
        : scenario.counts(batch.request_counts),
    error_file_id: scenario.emptyErrorFile === 'empty-id' ? (batch.error_file_id ?? '') : batch.error_file_id,
  };
  return scenario.show === undefined ? shown : scenario.show(shown);
}
