import { createHash } from 'node:crypto';
import type { FaultReport } from '../contract/input-fault.js';
import type { FineTuningMethod } from '../contract/fine-tuning.js';
import { FILE_LIMITS, FINE_TUNING_LIMITS } from '../contract/limits.js';
import { counted, FaultCollector } from '../jsonl/fault-collector.js';
import { FileStart } from '../jsonl/file-start.js';
import { type Line, LineSplitter } from '../jsonl/lines.js';
import { parseLine } from '../jsonl/parse-line.js';
import {
  checkCompletionExample,
  checkDpoExample,
  checkReinforcementExample,
  checkSupervisedExample,
} from './example-rules.js';

/**
 * Longest example, in bytes: an example may contain 64 images, and a string of JavaScript has a limit of 512 MB.
 */
const MAX_EXAMPLE_BYTES = 256 * 1024 * 1024;

export interface TrainingLimits {
  readonly minExamples: number;
  readonly bytes: number;
  readonly lineBytes: number;
}

export interface TrainingFileOptions {
  /** The API's `method.type`. */
  readonly method: FineTuningMethod;
  /**
   * A validation file needs one example, a training file ten.
   *
   * @default 'training'
   */
  readonly role?: 'training' | 'validation';
  /**
   * The base model: `babbage-002` and `davinci-002` are trained with pairs of prompt and completion, all others with
   * chat messages.
   */
  readonly model?: string;
  /**
   * `provider`: only the provider checks the examples; here each line must be a JSON object. Of a model that is not
   * OpenAI's, the formats and minima are not known, so it counts as `provider`.
   *
   * @default 'openai'
   */
  readonly rules?: 'openai' | 'provider' | undefined;
  readonly limits?: Partial<TrainingLimits>;
}

/** Figures of a training or validation file, and what is wrong with it. */
export interface TrainingFileReport {
  /** Lines that are not blank. */
  readonly examples: number;
  readonly bytes: number;
  /** Hash of the whole file, lower-case hex. */
  readonly sha256: string;
  readonly hasByteOrderMark: boolean;
  readonly faults: FaultReport;
}

/**
 * Reads a training or validation file once, in bounded memory, and reports every fault that the provider would refuse.
 */
export async function checkTrainingFile(
  source: AsyncIterable<Uint8Array>,
  options: TrainingFileOptions,
): Promise<TrainingFileReport> {
  const byOpenAI = options.rules !== 'provider' && isModelOfOpenAI(options.model);
  const limits: TrainingLimits = {
    minExamples: options.role === 'validation' || !byOpenAI ? 1 : FINE_TUNING_LIMITS.minExamples,
    bytes: FILE_LIMITS.bytes,
    lineBytes: MAX_EXAMPLE_BYTES,
    ...options.limits,
  };
  const checkExample = byOpenAI ? checkOf(options) : () => undefined;
  const start = new FileStart();
  const faults = new FaultCollector();
  const hash = createHash('sha256');
  const splitter = new LineSplitter(limits.lineBytes);
  let bytes = 0;
  let examples = 0;

  const checkLines = (lines: readonly Line[]): void => {
    for (const line of lines) {
      examples += 1;
      const { object, problem } = parseLine(line, limits.lineBytes);
      if (object === null) faults.addToLine(line.number, problem);
      else checkExample(object, (field, message) => faults.addToLine(line.number, message, field));
    }
  };
  for await (const chunk of source) {
    bytes += chunk.byteLength;
    hash.update(chunk);
    start.push(chunk);
    if (start.problem === null) checkLines(splitter.push(chunk));
  }
  if (start.problem === null) checkLines(splitter.end());
  else faults.addToFile(start.problem);

  if (start.problem === null && examples < limits.minExamples) {
    faults.addToFile(`${counted(examples)} examples; the minimum is ${counted(limits.minExamples)}`);
  }
  if (bytes > limits.bytes) {
    faults.addToFile(`${counted(bytes)} bytes; the limit of a file is ${counted(limits.bytes)}`);
  }
  return {
    examples,
    bytes,
    sha256: hash.digest('hex'),
    hasByteOrderMark: start.hasByteOrderMark,
    faults: faults.report(),
  };
}

/** Base models of OpenAI, and models fine-tuned from them. */
function isModelOfOpenAI(model: string | undefined): boolean {
  return model === undefined || /^(ft:)?(gpt-|chatgpt-|o\d|babbage-|davinci-)/.test(model);
}

function checkOf({ method, model }: TrainingFileOptions) {
  if (method === 'dpo') return checkDpoExample;
  if (method === 'reinforcement') return checkReinforcementExample;
  return isTrainedWithPairs(model) ? checkCompletionExample : checkSupervisedExample;
}

/** The two base models of the completions API, and models fine-tuned from them. */
function isTrainedWithPairs(model: string | undefined): boolean {
  return model !== undefined && /^(ft:)?(babbage|davinci)-002\b/.test(model);
}
