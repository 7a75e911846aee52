import { closeSync, openSync, readSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorBody } from '../api-error.js';
import { hexId, randomFor, shuffled } from '../random.js';
import { TextWriter } from '../text-writer.js';
import { answerBody } from './answers/answer-body.js';
import type { AnswerRequest } from './answers/write-answer.js';
import type { BatchScenario } from './batch-scenario.js';
import type { Inspection } from './inspect-input.js';
import { failsLine, lineFaultOf, type LineFault } from './line-fault.js';
import { countTokens, promptOf, questionOf } from './prompt.js';

export interface ResultsInput {
  readonly batchId: string;
  readonly seed: number;
  readonly endpoint: string;
  readonly inputPath: string;
  readonly inspection: Inspection;
  /** How many lines are answered, in the order of `completionOrder`. */
  readonly answered: number;
  /** The error code of all other lines. */
  readonly unfinishedCode: 'batch_expired' | 'batch_cancelled';
  readonly scenario: BatchScenario;
  /** Epoch seconds. */
  readonly createdAt: number;
  readonly newPath: () => string;
}

/** Tokens of all answers. */
export interface ResultUsage {
  readonly input: number;
  readonly output: number;
}

interface ResultPaths {
  readonly usage: ResultUsage;
  readonly outputPath: string | null;
  readonly errorPath: string | null;
}

/** The order in which a batch answers its lines, and so the order of its output. */
export function completionOrder(seed: number, batchId: string, total: number): Uint32Array {
  return shuffled(total, randomFor(seed, 'finish-order', batchId));
}

/** How many lines are written before other requests are served. */
const LINES_PER_TURN = 500;

interface InputLine {
  readonly custom_id: string;
  readonly body: Record<string, unknown>;
}

/** Writes the output and the error file of a batch that has ended. Memory is bounded by one line. */
export async function writeResults(results: ResultsInput): Promise<ResultPaths> {
  const { inspection, scenario } = results;
  const usage = { input: 0, output: 0 };
  const output = new TextWriter(results.newPath());
  const errors = new TextWriter(results.newPath());
  const input = openSync(results.inputPath, 'r');
  try {
    const lines = completionOrder(results.seed, results.batchId, inspection.total);
    // The last line is held back, because a scenario may cut it.
    let lastLine = '';
    for (const [done, index] of lines.subarray(0, results.answered).entries()) {
      if (done % LINES_PER_TURN === 0) await nextTurn();
      const line = readLine(input, inspection, index);
      const fault = scenario.lines?.(index) ?? lineFaultOf(line.body.user);
      if (failsLine(fault)) {
        await errors.write(`${JSON.stringify(failedLine(results, line, fault!))}\n`);
        continue;
      }
      const answer = answerLine(results, line, fault);
      usage.input += answer.usage.input;
      usage.output += answer.usage.output;
      const text = JSON.stringify(answer.line);
      for (const written of outputLines(text, fault)) {
        await output.write(lastLine);
        lastLine = `${written}\n`;
      }
    }
    await output.write(scenario.cutLastLine === true ? lastLine.slice(0, lastLine.length / 2) : lastLine);
    for (const index of lines.slice(results.answered).toSorted()) {
      const line = readLine(input, inspection, index);
      await errors.write(`${JSON.stringify(unfinishedLine(results, line))}\n`);
    }
  } finally {
    closeSync(input);
  }
  return {
    usage,
    outputPath: await closed(output),
    errorPath: (await closed(errors)) ?? (await emptyErrorFile(results, errors.path)),
  };
}

async function closed(writer: TextWriter): Promise<string | null> {
  if (!writer.used) return null;
  await writer.close();
  return writer.path;
}

async function emptyErrorFile({ scenario }: ResultsInput, path: string): Promise<string | null> {
  if (scenario.emptyErrorFile !== 'zero-bytes') return null;
  await writeFile(path, '');
  return path;
}

/** Synchronous, because a trip to the thread pool for each of 50,000 lines takes ten times as long as the read. */
function readLine(input: number, inspection: Inspection, index: number): InputLine {
  const length = inspection.lengths[index]!;
  const buffer = Buffer.allocUnsafe(length);
  readSync(input, buffer, 0, length, inspection.offsets[index]!);
  return JSON.parse(buffer.toString('utf8')) as InputLine;
}

function outputLines(text: string, fault: LineFault | undefined): string[] {
  switch (fault?.kind) {
    case 'missing':
      return [];
    case 'duplicate':
      return [text, text];
    case 'malformed':
      return [text.slice(0, Math.ceil(text.length / 2))];
    default:
      return [text];
  }
}

const ENDINGS: Partial<Record<LineFault['kind'], AnswerRequest['ending']>> = {
  truncated: 'length',
  refusal: 'refusal',
  'content-filter': 'content_filter',
};

function answerLine(results: ResultsInput, { custom_id: customId, body }: InputLine, fault: LineFault | undefined) {
  const random = randomFor(results.seed, 'answer', results.batchId, customId);
  const { usage, body: answer } = answerBody(results.endpoint, {
    body,
    question: questionOf(results.endpoint, body),
    inputTokens: countTokens(promptOf(results.endpoint, body)),
    model: typeof body.model === 'string' ? body.model : 'omni-moderation-latest',
    createdAt: results.createdAt,
    random,
    ending: (fault && ENDINGS[fault.kind]) ?? 'stop',
  });
  const line = {
    id: `batch_req_${hexId(32, random)}`,
    custom_id: fault?.kind === 'unknown-id' ? `${customId}-of-nobody` : customId,
    response: { status_code: 200, request_id: hexId(32, random), body: answer },
    error: fault?.kind === 'null-error' ? { code: null, message: null } : null,
  };
  return { line, usage };
}

function failedLine(results: ResultsInput, { custom_id: customId }: InputLine, fault: LineFault) {
  const random = randomFor(results.seed, 'answer', results.batchId, customId);
  const id = `batch_req_${hexId(32, random)}`;
  if (fault.kind !== 'status') {
    const error = { code: 'request_timeout', message: 'The request timed out.' };
    return { id, custom_id: customId, response: null, error };
  }
  const { status } = fault;
  const body = status === 0 ? {} : errorBody(status, LINE_ERRORS[status] ?? `The request failed with ${status}.`);
  return {
    id,
    custom_id: customId,
    response: { status_code: status, request_id: hexId(32, random), body },
    error: null,
  };
}

const LINE_ERRORS: Record<number, string> = {
  400: 'Invalid request.',
  404: 'The model does not exist or you do not have access to it.',
  429: 'Rate limit reached for requests.',
  500: 'The server had an error while processing your request. Sorry about that!',
};

const UNFINISHED = {
  batch_expired: 'This request could not be executed before the completion window expired.',
  batch_cancelled: 'This request was not executed because the batch was cancelled.',
};

function unfinishedLine(results: ResultsInput, { custom_id: customId }: InputLine) {
  const code = results.unfinishedCode;
  const random = randomFor(results.seed, 'answer', results.batchId, customId);
  const error = { code, message: UNFINISHED[code] };
  return { id: `batch_req_${hexId(32, random)}`, custom_id: customId, response: null, error };
}
