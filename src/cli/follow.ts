/** A run from now until its end, in lines. */
import type { BatchResult } from '../contract/batch.js';
import type { BulkBatchResult } from '../contract/bulk-batch.js';
import type { FileRef } from '../contract/file-ref.js';
import type { FineTuningResult } from '../contract/fine-tuning.js';
import { JobFailedError } from '../client/job-failed-error.js';
import { CommandError, EXIT_CODES, type Io } from './io.js';
import { stateText } from './progress-text.js';
import type { NamedRun } from './session.js';

export type RunResult = BatchResult | BulkBatchResult | FineTuningResult;

/**
 * Writes each change to stderr, and the result to stdout.
 *
 * @throws CommandError if the run fails
 */
export async function follow(io: Io, { run, kind }: NamedRun, isJson: boolean): Promise<void> {
  const { workflowId } = run;
  const onInterrupt = () => {
    io.err(
      `The run continues. Follow it again with: llm-jobs watch ${workflowId}. Cancel it with: llm-jobs cancel ${workflowId}`,
    );
    io.quit(INTERRUPTED);
  };
  process.once('SIGINT', onInterrupt);
  try {
    for await (const progress of run.watch()) io.err(stateText(progress));
    const result: RunResult = await run.result();
    for (const line of isJson ? [JSON.stringify(result)] : resultText(workflowId, kind, result)) io.out(line);
  } catch (error) {
    if (!(error instanceof JobFailedError)) throw error;
    throw new CommandError(EXIT_CODES.failed, error.message, error.whatNext, error);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

/** As shells report a process that was interrupted. */
const INTERRUPTED = 130;

function resultText(workflowId: string, kind: NamedRun['kind'], result: RunResult): string[] {
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

const fileText = (file: FileRef | null): string | null => file && `${file.uri} (${file.lines} lines)`;
