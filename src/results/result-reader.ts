import type { TokenUsage } from '../contract/batch.js';
import { isObject } from '../jsonl/json-value.js';
import type { Line } from '../jsonl/lines.js';
import { parseLine } from '../jsonl/parse-line.js';
import { fieldScanner, type FieldValue, OBJECT, SEVERAL } from '../jsonl/scan/field-scanner.js';
import { statusCodeOf, judgeResult } from './judge-result.js';
import type { Outcome } from './request-outcomes.js';
import { isMissingLine } from './synthetic-line.js';

/** Which results are final. Requests without a final one are sent again. */
export interface AnswerPolicy {
  /** Passing errors: 408, 409, 429, 5xx and `status_code` 0. All other errors are final. */
  readonly failed: 'final' | 'retry';
  /** Answers cut at the token limit: `finish_reason` `length`, `status` `incomplete`. */
  readonly truncated: 'final' | 'retry';
  /**
   * Accepts the body of an answer, for example by a JSON schema; a rejected answer is not final. Without it, all are
   * accepted.
   */
  readonly accepts?: (body: unknown) => boolean;
}

/** What a result line says of its request. */
export interface ResultLine {
  readonly customId: string;
  readonly outcome: Outcome;
  readonly usage: TokenUsage;
  /** The model that answered, if the body names one. */
  readonly model: string | null;
}

const CUSTOM_ID = 0;
const ERROR = 1;
const RESPONSE = 2;
const STATUS_CODE = 3;
const MODEL = 4;
const BODY_STATUS = 5;
const FINISH_REASON = 6;
const PROMPT_TOKENS = 7;
const INPUT_TOKENS = 8;
const COMPLETION_TOKENS = 9;
const OUTPUT_TOKENS = 10;
const TOTAL_TOKENS = 11;
const BODY_PATH = ['response', 'body'];
const PATHS = [
  ['custom_id'],
  ['error'],
  ['response'],
  ['response', 'status_code'],
  [...BODY_PATH, 'model'],
  [...BODY_PATH, 'status'],
  [...BODY_PATH, 'choices', '*', 'finish_reason'],
  [...BODY_PATH, 'usage', 'prompt_tokens'],
  [...BODY_PATH, 'usage', 'input_tokens'],
  [...BODY_PATH, 'usage', 'completion_tokens'],
  [...BODY_PATH, 'usage', 'output_tokens'],
  [...BODY_PATH, 'usage', 'total_tokens'],
];

/**
 * Makes a function that reads a result line; it returns null for a line that is not a result, such as one that was cut.
 *
 * @param policy null for the provider's own files, where a failure is a failure
 */
export function resultReader(policy: AnswerPolicy | null): (line: Line) => ResultLine | null {
  const scan = fieldScanner(PATHS);
  return (line) => {
    const values = scan(line);
    const customId = values?.[CUSTOM_ID];
    if (!values || typeof customId !== 'string') return null;
    return { customId, outcome: outcomeOf(values, line, policy), usage: usageOf(values), model: modelOf(values) };
  };
}

function outcomeOf(values: readonly FieldValue[], line: Line, policy: AnswerPolicy | null): Outcome {
  const status = statusCodeOf(values[STATUS_CODE]);
  // What an error contains is needed, and few lines have one.
  const error = values[ERROR] === OBJECT ? parseLine(line).object?.error : values[ERROR];
  const outcome = judgeResult(status, error);
  if (policy === null || outcome === 'unfinished') return outcome;
  if (outcome === 'succeeded') return isAccepted(values, line, policy) ? 'succeeded' : 'rejected';
  if (isMissingLine(values[RESPONSE], error)) return 'missing';
  const isPassing = status === 0 || status === 408 || status === 409 || status === 429 || status >= 500;
  return isPassing && policy.failed === 'retry' ? 'failed' : 'refused';
}

function isAccepted(values: readonly FieldValue[], line: Line, { truncated, accepts }: AnswerPolicy): boolean {
  if (truncated === 'retry' && isTruncated(values, line)) return false;
  return accepts?.(bodyOf(line)) ?? true;
}

function isTruncated(values: readonly FieldValue[], line: Line): boolean {
  if (values[BODY_STATUS] === 'incomplete') return true;
  const finishReason = values[FINISH_REASON];
  if (finishReason !== SEVERAL) return finishReason === 'length';
  const body = bodyOf(line);
  const choices: unknown = isObject(body) ? body.choices : null;
  return Array.isArray(choices) && choices.some((choice) => isObject(choice) && choice.finish_reason === 'length');
}

function bodyOf(line: Line): unknown {
  const response = parseLine(line).object?.response;
  return isObject(response) ? response.body : undefined;
}

/** Chat completions and embeddings count prompt and completion tokens, responses input and output tokens. */
function usageOf(values: readonly FieldValue[]): TokenUsage {
  const inputTokens = countIn(values[PROMPT_TOKENS]) ?? countIn(values[INPUT_TOKENS]) ?? 0;
  const outputTokens = countIn(values[COMPLETION_TOKENS]) ?? countIn(values[OUTPUT_TOKENS]) ?? 0;
  return { inputTokens, outputTokens, totalTokens: countIn(values[TOTAL_TOKENS]) ?? inputTokens + outputTokens };
}

function countIn(value: FieldValue): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}

function modelOf(values: readonly FieldValue[]): string | null {
  const model = values[MODEL];
  return typeof model === 'string' && model !== '' ? model : null;
}
