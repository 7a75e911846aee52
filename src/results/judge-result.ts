import { isObject } from '../jsonl/json-value.js';

/** How one request ended, by its result line alone. */
export type ResultOutcome = 'succeeded' | 'failed' | 'unfinished';

/** Error codes of requests that were never run, because the batch ended first. */
const UNFINISHED_CODES = new Set(['batch_expired', 'batch_cancelled', 'batch_canceled']);

/**
 * Judges a result by its content, whichever file it is in. A request that failed over HTTP has `error: null` and its
 * reason in `response.body.error` (openai-openapi#302), so the status code decides; an error object whose fields are
 * all null is not an error.
 *
 * @param status of the response, from `statusCodeOf`
 * @param error the line's `error`
 */
export function judgeResult(status: number, error: unknown): ResultOutcome {
  if (status >= 200 && status < 300 && !isRealError(error)) return 'succeeded';
  const code = isObject(error) ? error.code : null;
  return typeof code === 'string' && UNFINISHED_CODES.has(code.toLowerCase()) ? 'unfinished' : 'failed';
}

/** The HTTP status in a response's `status_code`; 0 where there is none. */
export function statusCodeOf(statusCode: unknown): number {
  if (statusCode === undefined || statusCode === null) return 0;
  return typeof statusCode === 'number' || typeof statusCode === 'string' ? Number(statusCode) : NaN;
}

function isRealError(error: unknown): boolean {
  if (isObject(error)) return Object.values(error).some((value) => value !== null && value !== '');
  return error !== undefined && error !== null && error !== '';
}
