/** What a failed result line says, and whether its request may succeed when it is sent again. */
import { isObject } from '../jsonl/json-value.js';

/** The reason of a failed line. A field is null where the provider sends none. */
export interface LineFailure {
  /** HTTP status; 0 where there is none. A 2xx status is that of an answer whose body reports the failure. */
  readonly status: number;
  readonly code: string | null;
  readonly type: string | null;
  readonly message: string | null;
}

/**
 * - `failed`: passing, so the request may be sent again.
 * - `noCredit`: passes once the account has credit again.
 * - `filtered`: stopped by a content filter.
 * - `unfinished`: the request was never run, since the batch ended first.
 * - `final`: the request would fail again.
 */
export type FailureKind = 'failed' | 'noCredit' | 'filtered' | 'unfinished' | 'final';

/** The code of a 2xx response without a body. It is ours. */
export const NO_BODY = 'no_body';

/** Statuses that pass; all from 500 on do too. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 409, 429]);

/**
 * Codes, types and messages of errors, matched loosely since they are open strings. Of several rows that match, the
 * first one counts; where none does, the status decides.
 */
const FAILURE_TABLE: readonly { readonly text: RegExp; readonly kind: FailureKind }[] = [
  { kind: 'unfinished', text: /^batch_(expired|cancell?ed|failed)$/i },
  {
    kind: 'noCredit',
    text: /insufficient_(quota|balance|credits?|funds)|(quota_exceeded|exceeded_quota)$|exceeded your current quota|billing_(not_active|hard_limit)|billing hard limit|(insufficient|not enough|out of|no) (credits?|balance|funds)\b|credit balance/i,
  },
  {
    kind: 'filtered',
    text: /^(content_filter(ed)?|content_policy_violation|moderation_blocked|responsibleaipolicyviolation)$/i,
  },
  // OpenAI answers valid requests with this message now and then, with status 400.
  { kind: 'failed', text: /^we could not parse the json body of your request/i },
  {
    kind: 'failed',
    text: /^((internal_?)?server_error|internal(_error)?|rate_limit\w*|(\w+_)?overloaded(_error)?|too_many_requests|deadline_exceeded|(\w+_)?time_?out(_error)?|(service_|temporarily_)?unavailable(_error)?|bad_gateway|(upstream|connection|gateway|network)_error)$/i,
  },
];

/** Codes and types that are final where no status decides. */
const FINAL =
  /^((invalid|unsupported|missing|unknown|unrecognized|duplicate|malformed)_\w+|\w+_(not_found|mismatch|denied|exceeded|too_long|too_large|error_invalid)|not_found(_error)?|(authentication|permission|validation)_error|bad_request(_error)?|unauthorized|forbidden|\w*unsupported)$/i;

/**
 * Classifies a failure.
 *
 * @param passing codes, types and statuses that count as passing besides those of the table
 * @param wasPaid whether the line reports tokens: then an unknown failure is final
 */
export function failureKind(
  failure: LineFailure,
  passing: readonly (string | number)[],
  wasPaid: boolean,
): FailureKind {
  const { code, type, message } = failure;
  const status = statusOf(failure);
  const isNamed = passing.some((name) =>
    typeof name === 'number' ? name === failure.status || name === status : isSame(name, code) || isSame(name, type),
  );
  if (isNamed) return 'failed';
  if (status === 402) return 'noCredit';
  for (const { text, kind } of FAILURE_TABLE) {
    if ([code, type, message].some((word) => word !== null && text.test(word))) return kind;
  }
  if (PASSING_STATUSES.has(status) || status >= 500) return 'failed';
  if (status >= 300 || code === NO_BODY || wasPaid) return 'final';
  return [code, type].some((word) => word !== null && FINAL.test(word)) ? 'final' : 'failed';
}

/** Gateways repeat the status of the provider behind them as the code, sometimes inside an answer with status 200. */
function statusOf({ status, code }: LineFailure): number {
  const isDecisive = status >= 300;
  return !isDecisive && code !== null && /^[345]\d\d$/.test(code) ? Number(code) : status;
}

function isSame(name: string, word: string | null): boolean {
  return word !== null && name.toLowerCase() === word.toLowerCase();
}

/** Reads the fields of an error of any shape: `{ code, type, message }`, `{ detail }`, a string, or a list of these. */
export function lineFailure(error: unknown, status: number): LineFailure {
  const first: unknown = Array.isArray(error) ? error[0] : error;
  if (typeof first === 'string') return { status, code: first, type: null, message: first };
  if (!isObject(first)) return { status, code: null, type: null, message: null };
  const { code, type, message, detail, msg } = first;
  return { status, code: textOf(code), type: textOf(type), message: textOf(message ?? detail ?? msg) };
}

function textOf(value: unknown): string | null {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Whether an `error` says anything: one whose fields are all null or empty does not. */
export function isRealError(error: unknown): boolean {
  if (isObject(error)) return Object.values(error).some((value) => value !== null && value !== '');
  return Array.isArray(error)
    ? error.length > 0
    : error !== undefined && error !== null && error !== '' && error !== false;
}
