import { closeSync, openSync, readSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { randomFor, shuffled } from '../random.js';
import { TextWriter } from '../text-writer.js';
import type { BatchScenario } from './batch-scenario.js';
import type { Inspection } from './inspect-input.js';
import { failsLine, lineFaultOf } from './line-fault.js';
import {
  answeredLine,
  failedLine,
  unfinishedLine,
  writtenLines,
  type InputLine,
  type LineContext,
  type UnfinishedCode,
} from './result-lines.js';

interface ResultsInput extends LineContext {
  readonly inputPath: string;
  readonly inspection: Inspection;
  /** How many lines are answered, in the order of `completionOrder`. */
  readonly answered: number;
  /** The error code of all other lines. */
  readonly unfinishedCode: UnfinishedCode;
  readonly scenario: BatchScenario;
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
        await errors.write(`${JSON.stringify(failedLine(results, line, fault))}\n`);
        continue;
      }
      const answer = answeredLine(results, line, fault);
      usage.input += answer.usage.input;
      usage.output += answer.usage.output;
      for (const written of writtenLines(JSON.stringify(answer.line), fault)) {
        await output.write(lastLine);
        lastLine = `${written}\n`;
      }
    }
    await output.write(scenario.cutLastLine === true ? lastLine.slice(0, lastLine.length / 2) : lastLine);
    for (const index of lines.slice(results.answered).toSorted()) {
      const line = readLine(input, inspection, index);
      await errors.write(`${JSON.stringify(unfinishedLine(results, line, results.unfinishedCode))}\n`);
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
