/** What a run reports to the meter of its worker. A replay reports nothing, and no report is an event of the history. */
import { metricMeter, workflowInfo } from '@temporalio/workflow';
import type { LineCounts } from '../../contract/batch.js';
import { METRICS } from '../../contract/metrics.js';
import { PART_OF } from '../../contract/part-report.js';
import type { JobKind, JobState } from '../../contract/search-attributes.js';
import { endedAt, type JobSnapshot } from '../../contract/snapshots.js';

const KINDS: Readonly<Record<string, JobKind>> = {
  runBatch: 'batch',
  runBulkBatch: 'bulkBatch',
  runFineTuning: 'fineTuning',
};

export function countEnd(provider: string, status: JobState): void {
  counter(METRICS.runsEnded).add(1, { provider, kind: kindOfRun(), status });
}

export function countLines(provider: string, lines: LineCounts): void {
  const counted = counter(METRICS.resultLines);
  for (const [outcome, count] of Object.entries(lines)) if (count > 0) counted.add(count, { provider, outcome });
}

/** @param watchedBy workflow id of the watch that woke the run; null where it polled */
export function recordWakeDelay(provider: string, job: JobSnapshot, watchedBy: string | null): void {
  const at = endedAt(job);
  if (at === null) return;
  const { name, unit, description } = METRICS.wakeDelay;
  // The provider's clock need not be Temporal's.
  const seconds = Math.max(0, Date.now() / 1_000 - at);
  const labels = { provider, kind: kindOfRun(), watch: watchedBy === null ? 'job' : 'account' };
  metricMeter.createHistogram(name, 'float', unit, description).record(seconds, labels);
}

function kindOfRun(): JobKind {
  const { workflowType, memo } = workflowInfo();
  return memo?.[PART_OF] === undefined ? (KINDS[workflowType] ?? 'batch') : 'part';
}

const counter = ({ name, description }: { readonly name: string; readonly description: string }) =>
  metricMeter.createCounter(name, undefined, description);
