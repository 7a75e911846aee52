/**
 * Refusals that pass: the provider has no room just now, or the account has no credit. One table for all callers, in
 * which the first matching row counts. Providers' codes and texts are open strings, so rows match loosely.
 */
import type { CapacityUnit } from './token-budget.js';

/**
 * - `room`: too much is enqueued, running or requested; it passes when other jobs end.
 * - `credit`: the account's money or quota is spent; it passes when somebody tops it up or a new month begins.
 */
export type PassingRefusal = 'room' | 'credit';

interface Row {
  /** Matched against code, type and message, joined by spaces. */
  readonly text: RegExp;
  /** Null: the refusal does not pass. */
  readonly reason: PassingRefusal | null;
}

const PASSING_REFUSALS: readonly Row[] = [
  // The limits of one input file. Waiting does not change the file.
  { text: /too_many_tasks|batch_too_large|(file|batch) (contains|has|with) too many/i, reason: null },
  {
    text: /too many (requests|lines|tasks|rows|items|records) in (the |this |your |a |one |a single )?(input )?(file|batch)\b/i,
    reason: null,
  },
  { text: /(requests|lines|tasks|records) (per|in (a|one|a single)) (single )?(input )?(batch|file)\b/i, reason: null },
  // The limits of one request.
  { text: /context.?length|(maximum|max) context|max_(completion_|output_)?tokens\b/i, reason: null },
  {
    text: /enqueued.{0,80}(limit|quota|maximum|exceed|surpass|too many)|(limit|quota|maximum|exceed\w*|surpass\w*|too many|at most|up to|no more than).{0,80}enqueued/i,
    reason: 'room',
  },
  { text: /once some.{0,40}(batches|jobs).{0,40}(completed|ended|finished)/i, reason: 'room' },
  // "billing" alone does not count: Groq and OpenAI link to their billing page in the message of a plain rate limit.
  {
    text: /insufficient_(\w{1,20}_)?(quota|balance|credits?|funds)|quota_exceeded|exceeded_quota|exceeded your current quota/i,
    reason: 'credit',
  },
  { text: /billing_(not_active|hard_limit)|billing hard limit|check your billing/i, reason: 'credit' },
  {
    text: /(insufficient|not enough|out of|no|run out of) (account )?(credits?|balance|funds)|credit balance|payment.required/i,
    reason: 'credit',
  },
  {
    text: /credits?.{0,30}(exhausted|depleted|used up)|budget(_| has been )exceeded|arrears|arrearage/i,
    reason: 'credit',
  },
  {
    text: /(reached|exceeded|hit).{0,40}\b(spend|spending|billing|monthly|budget) (limit|cap|budget|quota)|specified api usage limit/i,
    reason: 'credit',
  },
  {
    text: /(token|request|batch|job)s?_limit_(exceeded|reached)|rate.?limit|too_many_(requests|batches|jobs)/i,
    reason: 'room',
  },
  {
    text: /(maximum|limit|too many|exceed\w*).{0,60}\b(active|concurrent|running|in.progress|pending|queued)\b.{0,40}(batch|job|request|task)/i,
    reason: 'room',
  },
  { text: /too many (requests|batches|jobs)|quota|resource_exhausted|throttl/i, reason: 'room' },
];

/** Why a refusal passes; null where it does not, or where its text does not say so. */
export function passingRefusal(text: string): PassingRefusal | null {
  return PASSING_REFUSALS.find((row) => row.text.test(text))?.reason ?? null;
}

const MULTIPLES: Readonly<Record<string, number>> = {
  k: 1e3,
  thousand: 1e3,
  m: 1e6,
  million: 1e6,
  b: 1e9,
  billion: 1e9,
};

/** A limit and its number, such as `Limit: 1,500`, `limit of 30K` or `maximum for enqueued tokens is 2 million`. */
const LIMIT =
  /\b(?:limit|maximum|max|cap|quota)\b(?:\s+(?:for|on|of)\s+[a-z_ ]{1,40}?)?[\s:=(]*(?:is|of|to|at)?[\s:=(]*(\d[\d,._]{0,20})\s*(k|m|b|thousand|million|billion)?\b[\s)]*([a-z_ ]{0,30})/i;
const COUNTED = /tokens?|requests?|batch(es)?|jobs?|inputs?|files?|images?/gi;

/** A number without the word limit: `at most 90,000 enqueued tokens`. */
const BARE_LIMIT =
  /\b(?:up to|at most|more than|only|exceed(?:s|ed)?(?: the)?|allows?|allowed)[\s:]*(\d[\d,._]{0,20})\s*(k|m|b|thousand|million|billion)?\b[\s)]*([a-z_ ]{0,30})/i;

/** A limit by the second, minute, hour or day, which is not one of what is enqueued. */
const RATE = /per.?(second|minute|min|hour|day)\b|\b[TR]PM\b|\b[TR]P[DH]\b|\/ ?(s|min|h|day)\b/i;
/** What is enqueued, or a code that is used for nothing else. */
const ENQUEUED = /enqueued|\bqueued\b|in (the |your )?queue|(^|[^\w])(token|request)_limit_exceeded/i;

/** What a refusal says of the limits of what may be enqueued. */
export interface EnqueuedLimit {
  readonly unit: CapacityUnit;
  /** Null where the message names no number. */
  readonly limit: number | null;
}

/**
 * The limit of enqueued tokens or requests that a refusal is for; null where it is for anything else: a rate, a number
 * of jobs, credit, or the limits of one file.
 *
 * @example
 * ```ts
 * enqueuedLimitIn('Enqueued token limit reached for gpt-4o-mini. Limit: 2,000,000 enqueued tokens.'); // tokens, 2000000
 * enqueuedLimitIn('The number of enqueued tokens has surpassed the configured limit of 1.5M'); // tokens, 1500000
 * enqueuedLimitIn('Enqueued request limit reached. Limit: 1,000,000 enqueued requests.'); // requests, 1000000
 * enqueuedLimitIn('You have exceeded your current quota.'); // null
 * ```
 */
export function enqueuedLimitIn(message: string): EnqueuedLimit | null {
  const limit = limitIn(message);
  if (limit === null && !ENQUEUED.test(message)) return null;
  if (RATE.test(message) || passingRefusal(message) === 'credit') return null;
  const word = limit?.unit ?? (ENQUEUED.test(message) ? message.match(/token|request/i)?.[0] : undefined);
  const unit = /^token/i.test(word ?? '') ? 'tokens' : /^request/i.test(word ?? '') ? 'requests' : null;
  if (unit === null) return null;
  // Requests are limited in other ways too: by file, or at a time.
  if (unit === 'requests' && (!ENQUEUED.test(message) || passingRefusal(message) !== 'room')) return null;
  return { unit, limit: limit?.value ?? null };
}

/**
 * The limit of enqueued tokens that a refusal names; null where it names none, or a limit of something else.
 *
 * @example
 * ```ts
 * tokenLimitIn('Enqueued token limit reached for gpt-4o-mini. Limit: 2,000,000 enqueued tokens.'); // 2000000
 * tokenLimitIn('The number of enqueued tokens has surpassed the configured limit of 30K.'); // 30000
 * tokenLimitIn('Enqueued request limit reached. Limit: 1,000,000 enqueued requests.'); // null
 * ```
 */
export function tokenLimitIn(message: string): number | null {
  const found = enqueuedLimitIn(message);
  return found?.unit === 'tokens' ? found.limit : null;
}

/** The first limit with its number and the word for what it counts; null where there is none. */
function limitIn(message: string): { readonly value: number; readonly unit: string } | null {
  const found = LIMIT.exec(message) ?? BARE_LIMIT.exec(message);
  if (!found) return null;
  const [, digits = '', multiple = '', after = ''] = found;
  // The thing that is counted stands behind the number, or else in front of it.
  const before = message.slice(0, found.index + found[0].indexOf(digits));
  const unit = after.match(COUNTED)?.[0] ?? before.match(COUNTED)?.at(-1) ?? '';
  const factor = MULTIPLES[multiple.toLowerCase()];
  const number = factor ? Number(digits.replaceAll(/[,_]/g, '').replace(/\.$/, '')) * factor : wholeNumber(digits);
  const value = Math.round(number);
  return Number.isSafeInteger(value) && value >= 1 ? { value, unit } : null;
}

/** Without a multiple, a point separates thousands as a comma does, or ends the sentence. */
const wholeNumber = (digits: string): number => Number(digits.replaceAll(/[,._]/g, ''));
