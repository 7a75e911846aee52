import type { TokenUsage } from '../contract/batch.js';
import { BRACE, JsonSkim } from '../jsonl/json-skim.js';
import type { Line } from '../jsonl/lines.js';

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

/** Looks at lines of results for plain answers, which need no parsing; the fields are those of the last one. */
export class AnswerSkim {
  customId = '';
  usage: TokenUsage = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };
  readonly #skim = new JsonSkim(FIELDS);

  /** Whether `judgeResult` would surely say that the line succeeded, and `usageOf` what it used. False says nothing against it. */
  read(line: Line): boolean {
    const skim = this.#skim;
    if (line.problem !== null || !skim.skim(line.block, line.start, line.end)) return false;
    const status = skim.count(STATUS_CODE);
    if (status < 200 || status > 299 || skim.kind(BODY) !== BRACE) return false;
    if (skim.kind(ERROR) !== 0 && !skim.is(ERROR, NULL)) return false;
    const customId = skim.text(ID);
    const inputTokens = this.#tokens(PROMPT_TOKENS, INPUT_TOKENS);
    const outputTokens = this.#tokens(COMPLETION_TOKENS, OUTPUT_TOKENS);
    if (customId === null || inputTokens === -1 || outputTokens === -1) return false;
    const totalTokens = skim.kind(TOTAL_TOKENS) === 0 ? inputTokens + outputTokens : skim.count(TOTAL_TOKENS);
    if (totalTokens === -1) return false;
    this.customId = customId;
    this.usage = { inputTokens, outputTokens, totalTokens };
    return true;
  }

  /** Whether the answer was cut by its length. */
  get isTruncated(): boolean {
    return this.#skim.is(FINISH_REASON, LENGTH) || this.#skim.is(BODY_STATUS, INCOMPLETE);
  }

  /** The first that is there; 0 where none is, -1 where it is no plain number. */
  #tokens(slot: number, otherwise: number): number {
    if (this.#skim.kind(slot) !== 0) return this.#skim.count(slot);
    return this.#skim.kind(otherwise) === 0 ? 0 : this.#skim.count(otherwise);
  }
}
