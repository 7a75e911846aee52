import type { TokenUsage } from '../contract/batch.js';
import type { Line } from '../jsonl/lines.js';
import { parseLine } from '../jsonl/parse-line.js';
import { fieldScanner, type FieldValue, OBJECT } from '../jsonl/scan/field-scanner.js';
import type { SchemaFit } from './answer-schema.js';
import { type Judgement, judgeResult, WHOLE } from './judge-result.js';
import { failureKind } from './line-failures.js';
import type { Outcome } from './request-outcomes.js';
import { syntheticCodeOf } from './synthetic-line.js';
import { USAGE_PATHS, usageInBody, usageOf } from './usage.js';

/** How the answers of a bulk batch are taken. */
export interface AnswerPolicy {
  /** The requests with these outcomes are sent again. */
  readonly sendAgain: ReadonlySet<Outcome>;
  /** Codes, types and statuses of errors that count as passing besides those of the table. */
  readonly passing: readonly (string | number)[];
  /** Checks the body of an answer by a JSON schema. Without it, every answer fits. */
  readonly fit?: (body: unknown) => SchemaFit;
}

/** What a result line says of its request. */
export interface ResultLine {
  /** The line's own id. */
  readonly id: string | null;
  /** As it stands in the line: some servers write an id of digits as a number. */
  readonly customId: string | number;
  readonly outcome: Outcome;
  /** Whether the response has a 2xx status. */
  readonly isAnswered: boolean;
  /** Tokens, of failures too. */
  readonly usage: TokenUsage;
  /** The model that answered, if the body names one. */
  readonly model: string | null;
}

/** A line that is an object without a usable `custom_id`. */
export type StrayLine = Omit<ResultLine, 'customId'> & { readonly customId: null };

const BODY_PATH = ['response', 'body'];
const CUSTOM_ID = 0;
const ERROR = 1;
const STATUS_CODE = 2;
const BODY = 3;
const BODY_ERROR = 4;
const BODY_STATUS = 5;
const FINISH_REASON = 6;
const REFUSAL = 7;
const OUTPUT_REFUSAL = 8;
const PATHS = [
  ['custom_id'],
  ['error'],
  ['response', 'status_code'],
  BODY_PATH,
  [...BODY_PATH, 'error'],
  [...BODY_PATH, 'status'],
  [...BODY_PATH, 'choices', '*', 'finish_reason'],
  [...BODY_PATH, 'choices', '*', 'message', 'refusal'],
  [...BODY_PATH, 'output', '*', 'content', '*', 'refusal'],
];
const LINE_ID = 9;
const MODEL = 10;
/** The first of `USAGE_PATHS`. */
const USAGE = 11;
const PATHS_OF_PAYMENT = [
  ['id'],
  [...BODY_PATH, 'model'],
  ...USAGE_PATHS.map((path) => [...BODY_PATH, 'usage', ...path]),
];

/**
 * Makes a function that reads a line of the provider's own files; it returns null for a line that is not an object, such
 * as one that was cut. What an answer says is not checked.
 */
export function resultReader(): (line: Line) => ResultLine | StrayLine | null {
  const scan = fieldScanner([...PATHS, ...PATHS_OF_PAYMENT]);
  return (line) => {
    const values = scan(line);
    if (values === null) return null;
    const id = textOf(values[LINE_ID]);
    const customId = idOf(values[CUSTOM_ID]);
    if (isPlainAnswer(values)) {
      const usage = usageOf(values, USAGE);
      return { id, customId, outcome: 'succeeded', isAnswered: true, usage, model: textOf(values[MODEL]) };
    }
    const object = parseLine(line).object;
    if (object === null) return null;
    const judgement = judgeResult(object);
    const usage = usageInBody(judgement.body);
    const outcome = outcomeOf(judgement, object, [], usage.totalTokens > 0);
    const isAnswered = judgement.status >= 200 && judgement.status < 300;
    return {
      id,
      customId,
      outcome: outcome === 'truncated' ? 'succeeded' : outcome,
      isAnswered,
      usage,
      model: modelIn(judgement.body),
    };
  };
}

/**
 * Makes a function that reads a line of the files that `collectResults` wrote; it returns null for a line that is not a
 * result.
 */
export function collectedResultReader(
  policy: AnswerPolicy,
): (line: Line) => { readonly customId: string; readonly outcome: Outcome } | null {
  const scan = fieldScanner(PATHS);
  return (line) => {
    const values = scan(line);
    const customId = values?.[CUSTOM_ID];
    if (!values || typeof customId !== 'string') return null;
    if (!policy.fit && isPlainAnswer(values)) return { customId, outcome: 'succeeded' };
    const { object } = parseLine(line);
    return object && { customId, outcome: outcomeByPolicy(object, policy) };
  };
}

/** Whether the line is an answer beyond doubt, so that it need not be parsed. */
function isPlainAnswer(values: readonly FieldValue[]): boolean {
  const status = values[STATUS_CODE];
  const bodyStatus = values[BODY_STATUS];
  return (
    typeof status === 'number' &&
    status >= 200 &&
    status < 300 &&
    isNothing(values[ERROR]) &&
    values[BODY] === OBJECT &&
    isNothing(values[BODY_ERROR]) &&
    (bodyStatus === undefined || bodyStatus === 'completed') &&
    WHOLE.has(values[FINISH_REASON]) &&
    isNothing(values[REFUSAL]) &&
    isNothing(values[OUTPUT_REFUSAL])
  );
}

function isNothing(value: FieldValue): boolean {
  return value === undefined || value === null;
}

function outcomeOf(
  { verdict, failure }: Judgement,
  line: Readonly<Record<string, unknown>>,
  passing: readonly (string | number)[],
  wasPaid: boolean,
): Outcome {
  if (verdict === 'answered') return 'succeeded';
  if (failure === null) return verdict === 'failed' ? 'failed' : verdict;
  return syntheticCodeOf(line) ?? failureKind(failure, passing, wasPaid);
}

function outcomeByPolicy(line: Readonly<Record<string, unknown>>, { passing, sendAgain, fit }: AnswerPolicy): Outcome {
  const judgement = judgeResult(line);
  const wasPaid = judgement.failure !== null && usageInBody(judgement.body).totalTokens > 0;
  const outcome = outcomeOf(judgement, line, passing, wasPaid);
  if (outcome === 'truncated') {
    const isKept = !sendAgain.has('truncated') && (fit?.(judgement.body) ?? 'fits') === 'fits';
    return isKept ? 'succeeded' : 'truncated';
  }
  if (outcome !== 'succeeded' || !fit) return outcome;
  const found = fit(judgement.body);
  return found === 'fits' ? 'succeeded' : found;
}

function idOf(value: FieldValue): string | number | null {
  return typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value)) ? value : null;
}

function textOf(value: FieldValue): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function modelIn(body: unknown): string | null {
  const model: unknown = typeof body === 'object' && body !== null && 'model' in body ? body.model : null;
  return typeof model === 'string' && model !== '' ? model : null;
}
