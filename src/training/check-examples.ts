import { createHash } from 'node:crypto';
import type { FaultReport } from '../contract/input-fault.js';
import type { FineTuningMethod } from '../contract/fine-tuning.js';
import { BATCH_LIMITS, FILE_LIMITS, FINE_TUNING_LIMITS } from '../contract/limits.js';
import { counted, FaultCollector } from '../jsonl/fault-collector.js';
import { LineSplitter } from '../jsonl/lines.js';
import { parseLine } from '../jsonl/parse-line.js';
import {
  checkCompletionExample,
  checkDpoExample,
  checkPromptExample,
  checkSupervisedExample,
} from './example-rules.js';

export interface TrainingLimits {
  readonly minExamples: number;
  readonly bytes: number;
  readonly lineBytes: number;
}

export interface TrainingFileOptions {
  /** The API's `method.type`. */
  method: FineTuningMethod;
  /** A validation file needs one example, a training file ten. Default `'training'`. */
  role?: 'training' | 'validation';
  /** The base model: `babbage-002` and `davinci-002` learn from prompt and completion pairs, all others from chat messages. */
  model?: string;
  limits?: Partial<TrainingLimits>;
}

/** What a training or validation file is, and what is wrong with it. */
export interface TrainingFileReport {
  /** Lines that are not blank. */
  readonly examples: number;
  readonly bytes: number;
  /** Hash of the whole file, lower-case hex. */
  readonly sha256: string;
  readonly faults: FaultReport;
}

/** Reads a training or validation file once, in bounded memory, and tells each example that the provider would refuse. */
export async function checkTrainingFile(
  source: AsyncIterable<Uint8Array>,
  options: TrainingFileOptions,
): Promise<TrainingFileReport> {
  const limits: TrainingLimits = {
    minExamples: options.role === 'validation' ? 1 : FINE_TUNING_LIMITS.minExamples,
    bytes: FILE_LIMITS.bytes,
    lineBytes: BATCH_LIMITS.lineBytes,
    ...options.limits,
  };
  const checkExample = exampleCheck(options);
  const faults = new FaultCollector();
  const hash = createHash('sha256');
  const splitter = new LineSplitter(limits.lineBytes);
  let bytes = 0;
  let examples = 0;

  const checkLines = (lines: ReturnType<LineSplitter['push']>): void => {
    for (const line of lines) {
      examples++;
      const { object, problem } = parseLine(line, limits.lineBytes);
      if (object === null) faults.line(line.number, problem);
      else checkExample(object, (field, message) => faults.line(line.number, message, field));
    }
  };
  for await (const chunk of source) {
    bytes += chunk.byteLength;
    hash.update(chunk);
    checkLines(splitter.push(chunk));
  }
  checkLines(splitter.end());

  if (examples < limits.minExamples) {
    faults.file(`the file holds ${counted(examples)} examples; at least ${counted(limits.minExamples)} are needed`);
  }
  if (bytes > limits.bytes) {
    faults.file(`the file has ${counted(bytes)} bytes; an uploaded file takes at most ${counted(limits.bytes)}`);
  }
  return { examples, bytes, sha256: hash.digest('hex'), faults: faults.report() };
}

function exampleCheck({ method, model }: TrainingFileOptions) {
  if (method === 'dpo') return checkDpoExample;
  if (method === 'reinforcement') return checkPromptExample;
  return learnsFromPairs(model) ? checkCompletionExample : checkSupervisedExample;
}

/** The two base models that are left of the completions API, and models made of them. */
function learnsFromPairs(model: string | undefined): boolean {
  return model !== undefined && /^(ft:)?(babbage|davinci)-002\b/.test(model);
}
