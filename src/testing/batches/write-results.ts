import { closeSync, openSync, readSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorBody } from '../api-error.js';
import { hexId, randomFor, shuffled } from '../random.js';
import { TextWriter } from '../text-writer.js';
import { answerOf, type AnswerRequest } from './answers/answer.js';
import type { BatchScenario } from './batch-scenario.js';
import type { Inspection } from './inspect-input.js';
import { failsLine, lineFaultOf, type LineFault } from './line-fault.js';
import { countTokens, promptOf, questionOf } from './prompt.js';

export interface ResultsOrder {
  readonly batchId: string;
  readonly seed: number;
  readonly endpoint: string;
  readonly inputPath: string;
  inspection: Inspection;
  /** Lines answered, in the order of `finishOrder`. */
  readonly answered: number;
  /** Code of the error lines of the others: `batch_expired` or `batch_cancelled`. */
  readonly unfinishedCode: 'batch_expired' | 'batch_cancelled';
  readonly scenario: BatchScenario;
  /** Epoch seconds. */
  readonly createdAt: number;
  readonly newPath: () => string;
}

export interface Results {
  readonly outputPath: string | undefined;
  readonly errorPath: string | undefined;
  readonly usage: { input: number; output: number };
}

/** The order in which a batch answers its lines, and so the order of its output. */
export function finishOrder(seed: number, batchId: string, total: number): Uint32Array {
  return shuffled(total, randomFor(seed, 'finish-order', batchId));
}

/** Lines that are answered before other requests get their turn. */
const LINES_A_TURN = 500;

interface InputLine {
  readonly custom_id: string;
  readonly body: Record<string, unknown>;
}

/** Writes the output and the error file of a batch that has ended. Holds one line at a time. */
export async function writeResults(order: ResultsOrder): Promise<Results> {
  const { inspection, scenario } = order;
  const usage = { input: 0, output: 0 };
  const output = new TextWriter(order.newPath());
  const errors = new TextWriter(order.newPath());
  const input = openSync(order.inputPath, 'r');
  try {
    const lines = finishOrder(order.seed, order.batchId, inspection.total);
    // Held back by one, for a scenario may cut it.
    let lastLine = '';
    for (const [done, index] of lines.subarray(0, order.answered).entries()) {
      if (done % LINES_A_TURN === 0) await nextTurn();
      const line = readLine(input, inspection, index);
      const fault = scenario.lines?.(index) ?? lineFaultOf(line.body.user);
      if (failsLine(fault)) {
        await errors.write(`${JSON.stringify(failedLine(order, line, fault!))}\n`);
        continue;
      }
      const answer = answerLine(order, line, fault);
      usage.input += answer.usage.input;
      usage.output += answer.usage.output;
      const text = JSON.stringify(answer.line);
      for (const written of outputLines(text, fault)) {
        await output.write(lastLine);
        lastLine = `${written}\n`;
      }
    }
    await output.write(scenario.cutLastLine === true ? lastLine.slice(0, lastLine.length / 2) : lastLine);
    for (const index of lines.slice(order.answered).toSorted()) {
      const line = readLine(input, inspection, index);
      await errors.write(`${JSON.stringify(unfinishedLine(order, line))}\n`);
    }
  } finally {
    closeSync(input);
  }
  return {
    usage,
    outputPath: await closed(output),
    errorPath: (await closed(errors)) ?? (await emptyErrorFile(order, errors.path)),
  };
}

async function closed(writer: TextWriter): Promise<string | undefined> {
  if (!writer.used) return undefined;
  await writer.close();
  return writer.path;
}

async function emptyErrorFile({ scenario }: ResultsOrder, path: string): Promise<string | undefined> {
  if (scenario.emptyErrorFile !== 'zero-bytes') return undefined;
  await writeFile(path, '');
  return path;
}

/** Synchronous: a trip to the thread pool for each of 50,000 lines takes ten times as long as the reading. */
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

function answerLine(order: ResultsOrder, { custom_id: customId, body }: InputLine, fault: LineFault | undefined) {
  const random = randomFor(order.seed, 'answer', order.batchId, customId);
  const { usage, body: answer } = answerOf(order.endpoint, {
    body,
    question: questionOf(order.endpoint, body),
    inputTokens: countTokens(promptOf(order.endpoint, body)),
    model: typeof body.model === 'string' ? body.model : 'omni-moderation-latest',
    createdAt: order.createdAt,
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

function failedLine(order: ResultsOrder, { custom_id: customId }: InputLine, fault: LineFault) {
  const random = randomFor(order.seed, 'answer', order.batchId, customId);
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

function unfinishedLine(order: ResultsOrder, { custom_id: customId }: InputLine) {
  const code = order.unfinishedCode;
  const random = randomFor(order.seed, 'answer', order.batchId, customId);
  const error = { code, message: UNFINISHED[code] };
  return { id: `batch_req_${hexId(32, random)}`, custom_id: customId, response: null, error };
}
