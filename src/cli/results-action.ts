/** What `llm-jobs results` does. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BatchResult } from '../contract/batch.js';
import type { BulkBatchResult } from '../contract/bulk-batch.js';
import type { LineSource } from '../jsonl/lines.js';
import { readResults, type Result, type ResultValue } from '../results/read-results.js';
import { RequestsById } from '../results/requests-by-id.js';
import type { Storage } from '../storage/storage.js';
import { CommandError, EXIT_CODES, type Io } from './io.js';
import { storedResult } from './removed-run.js';
import { resultLines, type Joined, type ResultFormat } from './result-lines.js';
import { inSession, type CommonOptions } from './run-actions.js';
import { inputOf } from './run-input.js';
import { resultOf } from './run-result.js';
import { LIST_THEM, NoSuchRunError, runOf, type NamedRun, type Session } from './session.js';
import { workersStorage } from './workers-storage.js';

export interface ResultsOptions extends CommonOptions {
  readonly failed?: boolean;
  readonly structured?: boolean;
  readonly text?: boolean;
  readonly withInput?: boolean;
  readonly format?: ResultFormat;
  readonly out?: string;
}

/** A line a request: answered ones in the order of the output, then the others. */
export async function results(io: Io, workflowId: string, options: ResultsOptions): Promise<void> {
  await inSession(options, async (session) => {
    const { out, withInput = false } = options;
    const format = options.format ?? (out?.toLowerCase().endsWith('.csv') ? 'csv' : 'jsonl');
    const tally = { answered: 0, failed: 0 };
    const lines = resultLines(counted(joined(session, workflowId, options), tally), { format, withInput });
    if (out === undefined) {
      for await (const line of lines) {
        io.out(line);
        // A program that reads slowly must not fill the memory.
        if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
      }
      return;
    }
    await pipeline(Readable.from(withBreaks(lines)), createWriteStream(out));
    const text = `${out}: ${tally.answered} answered, ${tally.failed} without an answer`;
    io.out(options.json ? JSON.stringify({ file: out, ...tally }) : text);
  });
}

async function* joined(session: Session, workflowId: string, options: ResultsOptions): AsyncGenerator<Joined> {
  const storage = await workersStorage(options);
  const { files, named } = await endedRun(session, workflowId, storage);
  const value: ResultValue = options.text ? 'text' : options.structured ? 'structuredOutput' : 'body';
  const requests = options.withInput ? await RequestsById.of(await inputOfEnded(session, named, storage)) : null;
  try {
    for await (const result of readResults(files, { storage, value })) {
      if (options.failed && result.ok) continue;
      yield requests === null ? { result } : { result, request: requests.find(result.customId) };
    }
  } finally {
    requests?.close();
  }
}

interface EndedRun {
  readonly files: BatchResult | BulkBatchResult;
  /** Null for a run that Temporal has removed: its result is in storage. */
  readonly named: NamedRun | null;
}

/** @throws CommandError for a run that has not ended, or has no answers */
async function endedRun(session: Session, workflowId: string, storage: Storage): Promise<EndedRun> {
  try {
    const named = await runOf(session, workflowId);
    if (named.kind === 'fineTuning') throw noAnswers(`To see the model: llm-jobs status ${workflowId}`);
    if (named.status === 'RUNNING') {
      const next = `To wait for it: llm-jobs watch ${workflowId}`;
      throw new CommandError(EXIT_CODES.refused, `the run "${workflowId}" has not ended`, next);
    }
    return { files: await resultOf(named), named };
  } catch (error) {
    if (!(error instanceof NoSuchRunError)) throw error;
    return { files: await answersOfRemoved(session, workflowId, storage, error), named: null };
  }
}

const BY_JOB = 'The answers of a batch are found by its id, too: llm-jobs results batch_abc.';

/** The result of a run that Temporal has removed, by its workflow id or by the id of its job. */
async function answersOfRemoved(
  session: Session,
  id: string,
  storage: Storage,
  cause: CommandError,
): Promise<EndedRun['files']> {
  const manifest = await storedResult(session, id, storage);
  if (manifest === null) {
    const next = `Ended runs are removed after the retention of the namespace. ${BY_JOB} ${LIST_THEM}`;
    throw new CommandError(cause.code, `${cause.message}, and storage has no result of it`, next, cause);
  }
  if (manifest.kind === 'fineTuning') throw noAnswers(`Its model: ${manifest.result.fineTunedModel ?? 'none'}`);
  return manifest.result;
}

const noAnswers = (next: string): CommandError =>
  new CommandError(EXIT_CODES.refused, 'a fine-tuning job has no answers', next);

async function inputOfEnded(session: Session, named: NamedRun | null, storage: Storage): Promise<LineSource[]> {
  if (named) return inputOf(session, named, storage);
  const message = 'Temporal has removed the run, and with it the name of its input';
  throw new CommandError(EXIT_CODES.refused, message, 'Read the results without --with-input.');
}

async function* counted(
  all: AsyncIterable<Joined>,
  tally: { answered: number; failed: number },
): AsyncGenerator<Joined> {
  for await (const each of all) {
    const { ok }: Result<unknown> = each.result;
    tally[ok ? 'answered' : 'failed'] += 1;
    yield each;
  }
}

async function* withBreaks(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`;
}
