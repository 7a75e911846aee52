import type { TokenUsage } from '../contract/batch.js';
import { BATCH_LIMITS } from '../contract/limits.js';
import { AnswerSkim } from './answer-skim.js';
import { judgeResult, usageOf } from './judge-result.js';
import type { Line } from '../jsonl/lines.js';
import { isObject, parseLine } from '../jsonl/parse-line.js';
import type { AnswerPolicy } from './merge.js';

/** What became of a request; `stranded` is one whose batch failed in such a way that it must not be sent again. */
export const FATES = ['missing', 'unfinished', 'stranded', 'failed', 'rejected', 'refused', 'answered'] as const;
export type Fate = (typeof FATES)[number];

/** What the merge needs to know of a line of results. */
export interface ReadResult {
  readonly customId: string;
  readonly fate: Fate;
  readonly usage: TokenUsage;
}

/** Judges lines of results one by one. A plain answer is skimmed; all else is parsed. */
export class ResultReader {
  readonly #policy: AnswerPolicy;
  readonly #skim = new AnswerSkim();

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
    if (accepts || !skim.read(line) || (truncated === 'retry' && skim.isTruncated)) return null;
    return { customId: skim.customId, fate: 'answered', usage: skim.usage };
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
