/**
 * What a result line counts as: the one place that decides it, for the account of a batch, for that of a bulk batch and
 * for `readResults`.
 */
import { isObject } from '../jsonl/json-value.js';
import { isRealError, type LineFailure, lineFailure, NO_BODY } from './line-failures.js';
import { itemsOf } from './structured-output.js';

/**
 * - `answered`: an answer, whole as far as the line says.
 * - `truncated`: an answer that was cut off by the token limit.
 * - `refused`: the model refused to answer.
 * - `filtered`: a content filter stopped the answer.
 * - `failed`: an error, wherever it stands.
 */
export type Verdict = 'answered' | 'truncated' | 'refused' | 'filtered' | 'failed';

export interface Judgement {
  readonly verdict: Verdict;
  /** HTTP status; 0 where there is none. */
  readonly status: number;
  /** The body of the response; undefined where there is none. */
  readonly body: unknown;
  /** Null unless the verdict is `failed`. */
  readonly failure: LineFailure | null;
  /** The words with which the model refused. */
  readonly refusal: string | null;
}

/** Fields of which a body that answers has one, as a list. */
const ANSWER_FIELDS = ['choices', 'output', 'data', 'results'];
/** `finish_reason` and `incomplete_details.reason` of answers that are not whole. */
const TRUNCATED: ReadonlySet<unknown> = new Set(['length', 'max_tokens', 'max_output_tokens']);
const FILTERED: ReadonlySet<unknown> = new Set(['content_filter', 'safety']);
/** Values of `finish_reason` with which an answer is whole. Of others, the choice decides. */
export const WHOLE: ReadonlySet<unknown> = new Set([undefined, null, 'stop', 'tool_calls', 'function_call']);

/**
 * Judges a result by its content, whichever file it is in:
 *
 * - A request that failed over HTTP has `error: null` and its reason in `response.body.error` (openai-openapi#302).
 * - An `error` whose fields are all null is none.
 * - A 2xx response fails if its body is absent or reports a failure: `error`, or the `status` of a response.
 * - Some servers put the body itself in the place of `response`, or send no usable `status_code`: an answer is one if it
 *   has the field of an answer.
 */
export function judgeResult(line: Readonly<Record<string, unknown>>): Judgement {
  const { status, body } = responseIn(line.response);
  if (isRealError(line.error)) return failed(lineFailure(line.error, status), body);
  if (status < 200 || status >= 300) return failed(lineFailure(errorIn(body), status), body);
  if (body === undefined || body === null || body === '') {
    return failed({ status, code: NO_BODY, type: null, message: 'the response has no body' }, body);
  }
  if (!isObject(body)) return { verdict: 'answered', status, body, failure: null, refusal: null };
  if (isRealError(body.error) || hasFailed(body.status)) {
    const failure = lineFailure(body.error, status);
    return failed(isRealError(body.error) ? failure : { ...failure, code: String(body.status) }, body);
  }
  return { status, body, failure: null, refusal: null, ...endingOf(body) };
}

/** The HTTP status in `status_code`; 0 where there is none that can be read. */
function statusIn(statusCode: unknown): number {
  const isNumeric = typeof statusCode === 'number' || (typeof statusCode === 'string' && statusCode.trim() !== '');
  const status = isNumeric ? Number(statusCode) : 0;
  return Number.isFinite(status) ? status : 0;
}

function responseIn(response: unknown): { status: number; body: unknown } {
  if (!isObject(response)) return { status: 0, body: undefined };
  const isWrapped = Object.hasOwn(response, 'status_code') || Object.hasOwn(response, 'body');
  const body = isWrapped ? response.body : response;
  const status = isWrapped ? statusIn(response.status_code) : 0;
  return { status: status === 0 && isAnswer(body) ? 200 : status, body };
}

function isAnswer(body: unknown): boolean {
  return isObject(body) && ANSWER_FIELDS.some((name) => Array.isArray(body[name]));
}

/** The error in the body of a failed response, which some servers write without the field `error`. */
function errorIn(body: unknown): unknown {
  return isObject(body) && isRealError(body.error) ? body.error : body;
}

/** Whether the `status` of a response says that it failed. */
function hasFailed(status: unknown): boolean {
  return status === 'failed' || status === 'cancelled' || status === 'canceled';
}

function failed(failure: LineFailure, body: unknown): Judgement {
  return { verdict: 'failed', status: failure.status, body, failure, refusal: null };
}

type Ending = Pick<Judgement, 'verdict'> & Partial<Pick<Judgement, 'refusal' | 'failure'>>;

function endingOf(body: Record<string, unknown>): Ending {
  return Array.isArray(body.choices) ? endingOfChoices(itemsOf(body.choices)) : endingOfResponse(body);
}

/** With several choices, an answer is refused or filtered only if none of them is usable. */
function endingOfChoices(choices: readonly Record<string, unknown>[]): Ending {
  const endings = choices.map(endingOfChoice);
  const first = endings.find(({ verdict }) => verdict === 'answered' || verdict === 'truncated') ?? endings[0];
  if (!first) return { verdict: 'answered' };
  return endings.find(({ verdict }) => verdict === 'truncated') ?? first;
}

function endingOfChoice({ finish_reason: reason, message, error }: Record<string, unknown>): Ending {
  const refusal = isObject(message) ? message.refusal : null;
  if (typeof refusal === 'string' && refusal !== '') return { verdict: 'refused', refusal };
  const folded: unknown = typeof reason === 'string' ? reason.toLowerCase() : reason;
  if (FILTERED.has(folded)) return { verdict: 'filtered' };
  if (TRUNCATED.has(folded)) return { verdict: 'truncated' };
  if (folded !== 'error') return { verdict: 'answered' };
  return { verdict: 'failed', failure: lineFailure(error, 200) };
}

function endingOfResponse({ status, incomplete_details: details, output }: Record<string, unknown>): Ending {
  const parts = itemsOf(output).flatMap(({ content }) => itemsOf(content));
  const refusal = parts.map((part) => part.refusal).find((text) => typeof text === 'string' && text !== '');
  if (typeof refusal === 'string') return { verdict: 'refused', refusal };
  if (status !== 'incomplete') return { verdict: 'answered' };
  return { verdict: isObject(details) && FILTERED.has(details.reason) ? 'filtered' : 'truncated' };
}
