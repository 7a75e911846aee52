/** How a run ended, and its result in lines. */
import { TerminatedFailure, WorkflowFailedError } from '@temporalio/client';
import { JobFailedError } from '../client/job-failed-error.js';
import type { BatchResult } from '../contract/batch.js';
import type { BulkBatchResult } from '../contract/bulk-batch.js';
import type { FileRef } from '../contract/file-ref.js';
import type { FineTuningResult } from '../contract/fine-tuning.js';
import { CommandError, EXIT_CODES } from './io.js';
import type { NamedRun } from './session.js';

export type RunResult = BatchResult | BulkBatchResult | FineTuningResult;

/**
 * Waits for the end of a run.
 *
 * @throws CommandError if it fails, or ended without a result
 */
export async function resultOf<Run extends Pick<NamedRun, 'run'>>({
  run,
}: Run): Promise<Awaited<ReturnType<Run['run']['result']>>> {
  try {
    return (await run.result()) as Awaited<ReturnType<Run['run']['result']>>;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    throw new CommandError(EXIT_CODES.failed, ...wordsFor(run.workflowId, error), error);
  }
}

/** What went wrong, and what to do next. */
export function wordsFor(workflowId: string, error: WorkflowFailedError): [message: string, next: string] {
  if (error instanceof JobFailedError) return [error.message, error.whatNext];
  const { cause } = error;
  const reason = cause?.message ?? error.message;
  if (cause instanceof TerminatedFailure) {
    const next = 'A terminated run cancels nothing at the provider. To find jobs that no run follows: llm-jobs orphans';
    return [`the run "${workflowId}" was terminated: ${reason}`, next];
  }
  return [
    `the run "${workflowId}" ended without a result: ${reason}`,
    `To see its state: llm-jobs status ${workflowId}`,
  ];
}

/** For people. */
export function resultText(workflowId: string, kind: NamedRun['kind'], result: RunResult): string[] {
  const rows: [string, string | null][] = [['status', result.status]];
  if ('lines' in result) {
    const counts = Object.entries(result.lines).map(([name, count]) => `${count} ${name}`);
    rows.push(
      ['requests', counts.join(', ')],
      ['output', fileText(result.output)],
      ['errors', fileText(result.errors)],
    );
  } else {
    rows.push(['model', result.fineTunedModel], ['events', fileText(result.events)]);
  }
  for (const warning of result.warnings) rows.push(['warning', warning]);
  const lines = rows.filter(([, text]) => text !== null).map(([name, text]) => `  ${name.padEnd(9)} ${text}`);
  const next = kind === 'fineTuning' ? [] : [`To read the answers: llm-jobs results ${workflowId}`];
  return [`${workflowId} has ended`, ...lines, ...next];
}

export const fileText = (file: FileRef | null): string | null => file && `${file.uri} (${file.lines} lines)`;
