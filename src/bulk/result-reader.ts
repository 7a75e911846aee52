import type { TokenUsage } from '../jobs/batch.js';
import { BATCH_LIMITS } from '../jobs/limits.js';
import { BRACE, JsonSkim } from '../jsonl/json-skim.js';
import { judgeResult, usageOf } from '../jsonl/judge-result.js';
import type { Line } from '../jsonl/lines.js';
import { isObject, parseLine } from '../jsonl/parse-line.js';
import type { AnswerPolicy } from './merge-results.js';

/** What became of a request; `stranded` is one whose batch failed in such a way that it must not be sent again. */
export const FATES = ['missing', 'unfinished', 'stranded', 'failed', 'rejected', 'refused', 'answered'] as const;
export type Fate = (typeof FATES)[number];

/** What the merge needs to know of a line of results. */
export interface ReadResult {
  readonly customId: string;
  readonly fate: Fate;
  readonly usage: TokenUsage;
}

const ID = 0;
const ERROR = 1;
const STATUS_CODE = 2;
const BODY = 3;
const BODY_STATUS = 4;
const FINISH_REASON = 5;
const PROMPT_TOKENS = 6;
const INPUT_TOKENS = 7;
const COMPLETION_TOKENS = 8;
const OUTPUT_TOKENS = 9;
const TOTAL_TOKENS = 10;
const BODY_PATH = ['response', 'body'];
const FIELDS = [
  ['custom_id'],
  ['error'],
  ['response', 'status_code'],
  BODY_PATH,
  [...BODY_PATH, 'status'],
  [...BODY_PATH, 'choices', '*', 'finish_reason'],
  [...BODY_PATH, 'usage', 'prompt_tokens'],
  [...BODY_PATH, 'usage', 'input_tokens'],
  [...BODY_PATH, 'usage', 'completion_tokens'],
  [...BODY_PATH, 'usage', 'output_tokens'],
  [...BODY_PATH, 'usage', 'total_tokens'],
];
const NULL = Buffer.from('null');
const LENGTH = Buffer.from('"length"');
const INCOMPLETE = Buffer.from('"incomplete"');

/** Judges lines of results one by one. A plain answer is skimmed; all else is parsed. */
export class ResultReader {
  readonly #policy: AnswerPolicy;
  readonly #skim = new JsonSkim(FIELDS);

  constructor(policy: AnswerPolicy) {
    this.#policy = policy;
  }

  /** Null for a line that is no result, such as one that was cut. */
  read(line: Line): ReadResult | null {
    return this.#skimmed(line) ?? this.#parsed(line);
  }

  /** A line that surely is an answer and final; null for any other, which says nothing. */
  #skimmed(line: Line): ReadResult | null {
    const { accepts, truncated } = this.#policy;
    const skim = this.#skim;
    if (accepts || line.problem !== null || !skim.skim(line.block, line.start, line.end)) return null;
    const status = skim.count(STATUS_CODE);
    if (status < 200 || status > 299 || skim.kind(BODY) !== BRACE) return null;
    if (skim.kind(ERROR) !== 0 && !skim.is(ERROR, NULL)) return null;
    if (truncated === 'retry' && (skim.is(FINISH_REASON, LENGTH) || skim.is(BODY_STATUS, INCOMPLETE))) return null;
    const customId = skim.text(ID);
    const inputTokens = this.#tokens(PROMPT_TOKENS, INPUT_TOKENS);
    const outputTokens = this.#tokens(COMPLETION_TOKENS, OUTPUT_TOKENS);
    if (customId === null || inputTokens === -1 || outputTokens === -1) return null;
    const totalTokens = skim.kind(TOTAL_TOKENS) === 0 ? inputTokens + outputTokens : skim.count(TOTAL_TOKENS);
    if (totalTokens === -1) return null;
    return { customId, fate: 'answered', usage: { inputTokens, outputTokens, totalTokens } };
  }

  /** The first that is there; 0 where none is, -1 where it is no plain number. */
  #tokens(slot: number, otherwise: number): number {
    if (this.#skim.kind(slot) !== 0) return this.#skim.count(slot);
    return this.#skim.kind(otherwise) === 0 ? 0 : this.#skim.count(otherwise);
  }

  #parsed(line: Line): ReadResult | null {
    const { object } = parseLine(line, BATCH_LIMITS.lineBytes);
    const customId = object?.['custom_id'];
    if (object === null || typeof customId !== 'string') return null;
    return { customId, fate: this.#judge(object), usage: usageOf(object) };
  }

  #judge(result: Record<string, unknown>): Fate {
    const outcome = judgeResult(result);
    const response = isObject(result['response']) ? result['response'] : null;
    if (outcome === 'succeeded') {
      const body = response?.['body'];
      if (this.#policy.truncated === 'retry' && isTruncated(body)) return 'rejected';
      return this.#policy.accepts?.(body) === false ? 'rejected' : 'answered';
    }
    if (outcome === 'unfinished') return 'unfinished';
    if (isMissingMark(result)) return 'missing';
    const status = Number(response?.['status_code'] ?? 0);
    const isPassing = status === 0 || status === 408 || status === 409 || status === 429 || status >= 500;
    return isPassing && this.#policy.failed === 'retry' ? 'failed' : 'refused';
  }
}

/** Our own line for a request that the provider's files do not have. */
function isMissingMark(result: Record<string, unknown>): boolean {
  return isObject(result['error']) && result['error']['code'] === 'missing' && result['response'] === null;
}

function isTruncated(body: unknown): boolean {
  if (!isObject(body)) return false;
  if (body['status'] === 'incomplete') return true;
  const { choices } = body;
  return Array.isArray(choices) && choices.some((choice) => isObject(choice) && choice['finish_reason'] === 'length');
}
