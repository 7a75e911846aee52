/** Lines of input files and of result files. */

export function jsonl(...values: unknown[]): string {
  return values.map((value) => `${typeof value === 'string' ? value : JSON.stringify(value)}\n`).join('');
}

/** One chat request of a batch; `changes` replace its fields. */
export function request(customId: unknown, changes: Record<string, unknown> = {}) {
  const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hello' }] };
  return { custom_id: customId, method: 'POST', url: '/v1/chat/completions', body, ...changes };
}

/** A result line of a request that succeeded. */
export function success(
  customId: string,
  usage: unknown = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
) {
  const body = { id: 'chatcmpl-1', model: 'gpt-4o-mini-2024-07-18', choices: [], usage };
  return { id: 'batch_req_1', custom_id: customId, response: { status_code: 200, request_id: 'r', body }, error: null };
}

/** A result line of a request that failed over HTTP, as the API really writes it: with `error: null`. */
export function failure(customId: string, status = 400) {
  const body = { error: { message: 'no', type: 'invalid_request_error', param: null, code: null } };
  return {
    id: 'batch_req_2',
    custom_id: customId,
    response: { status_code: status, request_id: 'r', body },
    error: null,
  };
}

/** A result line of a request that never ran. */
export function unfinished(customId: string, code = 'batch_expired') {
  return { id: 'batch_req_3', custom_id: customId, response: null, error: { code, message: 'never ran' } };
}
