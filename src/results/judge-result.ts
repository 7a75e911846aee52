import type { TokenUsage } from '../contract/batch.js';
import { isObject } from '../jsonl/parse-line.js';

/** How one request ended, by its result line. */
export type ResultOutcome = 'succeeded' | 'failed' | 'unfinished';

/** Error codes of requests that were never run, because the batch ended first. */
const UNFINISHED_CODES = new Set(['batch_expired', 'batch_cancelled', 'batch_canceled']);

/**
 * Judges a result line by its content, never by the file that it stands in. A request that failed over HTTP has `error: null` and
 * its reason in `response.body.error` (openai-openapi#302), so the status code decides; a null-filled error object is no error.
 */
export function judgeResult(result: Record<string, unknown>): ResultOutcome {
  const { response, error } = result;
  const status = isObject(response) ? Number(response['status_code'] ?? NaN) : NaN;
  if (status >= 200 && status < 300 && !isRealError(error)) return 'succeeded';
  const code = isObject(error) ? error['code'] : null;
  if (typeof code === 'string' && UNFINISHED_CODES.has(code.toLowerCase())) return 'unfinished';
  return 'failed';
}

/** Tokens that a succeeded result tells of: in the words of chat completions and embeddings, or in those of responses. */
export function usageOf(result: Record<string, unknown>): TokenUsage {
  const usage = bodyOf(result)?.['usage'];
  if (!isObject(usage)) return { inputTokens: 0, outputTokens: 0, totalTokens: 0 };
  const inputTokens = tokens(usage['prompt_tokens']) ?? tokens(usage['input_tokens']) ?? 0;
  const outputTokens = tokens(usage['completion_tokens']) ?? tokens(usage['output_tokens']) ?? 0;
  return { inputTokens, outputTokens, totalTokens: tokens(usage['total_tokens']) ?? inputTokens + outputTokens };
}

/** The model that answered, where the body names one. */
export function modelOf(result: Record<string, unknown>): string | null {
  const model = bodyOf(result)?.['model'];
  return typeof model === 'string' && model !== '' ? model : null;
}

function bodyOf(result: Record<string, unknown>): Record<string, unknown> | null {
  const { response } = result;
  return isObject(response) && isObject(response['body']) ? response['body'] : null;
}

function isRealError(error: unknown): boolean {
  if (isObject(error)) return Object.values(error).some((value) => value !== null && value !== '');
  return error !== undefined && error !== null && error !== '';
}

function tokens(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}
