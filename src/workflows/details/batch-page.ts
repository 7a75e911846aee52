/** What the page of a batch shows besides that of every run. */
import type { BatchProgress, BatchResult, LineCounts, TokenUsage } from '../../contract/batch.js';
import type { FileRef } from '../../contract/file-ref.js';
import { iso } from '../lifecycle/time.js';
import { steeringOf, storyOf, type JobWords } from './job-story.js';
import { bar, code, count, counted, expectedEnd } from './markdown.js';
import type { RunPage } from './run-page.js';

const WORDS: JobWords = {
  noun: 'batch',
  statuses: {
    validating: 'it checks the input of the batch',
    in_progress: 'it works on the requests',
    finalizing: 'it writes the results',
    cancelling: 'it stops the batch, which may take minutes',
  },
};

export interface ShownBatch {
  readonly workflowId: string;
  readonly isPart: boolean;
  readonly progress: BatchProgress;
  /** Epoch seconds: when the phase began. */
  readonly phaseSince: number;
  /** Epoch seconds; null before the provider works on the requests. */
  readonly inProgressAt: number | null;
  /** Null before the end. */
  readonly result: Omit<BatchResult, 'status'> | null;
  readonly model: string | null;
  readonly input: string;
  readonly spec: { readonly endpoint: string; readonly provider: string; readonly link?: string | undefined };
}

export function batchPage(shown: ShownBatch): RunPage {
  const { progress, result, spec } = shown;
  const { phase, status, jobId, counts, expiresAt, lastCheckedAt, waitingFor } = progress;
  const isOver = phase === 'done';
  const isWaiting = phase === 'waiting' && jobId !== null;
  const { total, completed, failed } = counts;
  const end = isWaiting ? expectedEnd(completed + failed, total, shown.inProgressAt, lastCheckedAt) : null;
  return {
    noun: shown.isPart ? 'Part' : 'Batch',
    id: jobId,
    status: jobId === null && isOver ? 'cancelled before it was created' : statusText(status),
    link: spec.link,
    story: storyOf(WORDS, progress, shown.phaseSince, waitingFor),
    bar: result ? describeLines(result.lines) : total > 0 ? describeCounts(counts, lastCheckedAt) : null,
    rows: [
      ['Expected end', end !== null && `${iso(Math.min(end, expiresAt ?? end))}, at the rate so far`],
      ['Expires', !isOver && expiresAt !== null && iso(expiresAt)],
      ['Output', result && describeFile(result.output)],
      ['Errors', result && describeFile(result.errors)],
      ['Usage', result && describeUsage(result.usage)],
      ['Answers', result && jobId !== null && code(`llm-jobs results ${shown.workflowId}`, 1_100)],
      ['Input', code(shown.input)],
      ['Model', shown.model !== null && code(shown.model, 100)],
      ['Endpoint', code(spec.endpoint, 100)],
      ['Provider', code(spec.provider, 100)],
    ],
    steering: steeringOf(WORDS, jobId !== null),
  };
}

function statusText(status: string): string {
  return status === 'not_created' ? 'not created yet' : code(status, 60);
}

function describeCounts({ total, completed, failed }: BatchProgress['counts'], asOf: number | null): string {
  const failures = failed > 0 ? `, ${count(failed)} failed` : '';
  return `${bar(completed + failed, total)} answered${failures}${asOf === null ? '' : `, as of ${iso(asOf)}`}`;
}

/** The lines of a result, such as `█████████░ 990 / 1,000 succeeded, 7 failed, 3 missing`. */
export function describeLines(lines: LineCounts): string {
  const total = lines.succeeded + lines.failed + lines.unfinished + lines.missing;
  const others = (['failed', 'unfinished', 'missing'] as const).filter((kind) => lines[kind] > 0);
  return [`${bar(lines.succeeded, total)} succeeded`, ...others.map((kind) => `${count(lines[kind])} ${kind}`)].join(
    ', ',
  );
}

/** Null where there is none. */
export function describeFile(file: FileRef | null): string | null {
  return file && `${code(file.uri, 1_000)} (${counted(file.lines, 'line')})`;
}

/** Null where nothing was used, or the provider tells nothing. */
export function describeUsage({ inputTokens, outputTokens, cachedTokens, reasoningTokens }: TokenUsage): string | null {
  if (inputTokens + outputTokens === 0) return null;
  const cached = cachedTokens > 0 ? ` (${count(cachedTokens)} cached)` : '';
  const thought = reasoningTokens > 0 ? ` (${count(reasoningTokens)} reasoning)` : '';
  return `${count(inputTokens)} input tokens${cached}, ${count(outputTokens)} output tokens${thought}`;
}
