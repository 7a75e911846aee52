/** What a result line counts as, for a batch and for a bulk batch. */
import { describe, expect, test } from 'vitest';
import type { StructuredOutputPlace } from '../../../src/contract/bulk-batch.js';
import { fitsSchema } from '../../../src/results/answer-schema.js';
import { LineSplitter } from '../../../src/jsonl/lines.js';
import type { Outcome } from '../../../src/results/request-outcomes.js';
import { type AnswerPolicy, collectedResultReader, resultReader } from '../../../src/results/result-reader.js';

const POLICY: AnswerPolicy = { sendAgain: new Set(['unfinished', 'failed']), passing: [] };
const fitOf = (place: StructuredOutputPlace) => fitsSchema({ type: 'object', required: ['sum'] }, place);
const SUM = fitOf('textOrToolCall');

const line = (body: unknown, status: unknown = 200, error: unknown = null) => ({
  id: 'batch_req_1',
  custom_id: 'a',
  response: { status_code: status, body },
  error,
});
const chat = (message: object, finish: unknown = 'stop') => ({
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});
const response = (output: unknown, more: object = {}) => ({ object: 'response', status: 'completed', output, ...more });
const failing = (error: unknown, status: unknown = 200) => line({ error }, status);

function outcomesOf(value: object | string, policy: AnswerPolicy): [Outcome | undefined, Outcome | undefined] {
  const splitter = new LineSplitter(Infinity);
  const [read] = splitter.push(Buffer.from(`${typeof value === 'string' ? value : JSON.stringify(value)}\n`));
  return [resultReader()(read!)?.outcome, collectedResultReader(policy)(read!)?.outcome];
}

const under = (value: object, policy: Partial<AnswerPolicy>) => outcomesOf(value, { ...POLICY, ...policy })[1];

describe('a line', () => {
  test.each<[string, object, Outcome]>([
    // Failures inside a 200.
    ['an error in the body, passing code', failing({ code: 'server_error', message: 'x' }), 'failed'],
    ['an error in the body, passing type', failing({ type: 'overloaded_error', message: 'x' }), 'failed'],
    ['an error in the body, the status as code', failing({ code: 502, message: 'x' }), 'failed'],
    ['an error in the body, only words', failing({ message: 'upstream failed' }), 'failed'],
    ['an error in the body, a text', failing('upstream failed'), 'failed'],
    ['an error in the body, final', failing({ type: 'invalid_request_error', message: 'x' }), 'final'],
    ['an unknown error that reports tokens', line({ error: { message: 'x' }, usage: { total_tokens: 5 } }), 'final'],
    ['a response that failed', line(response([], { status: 'failed', error: { code: 'server_error' } })), 'failed'],
    ['a response that failed for good', line(response([], { status: 'failed', error: { code: 'invalid_prompt' } })), 'final'],
    ['a null body', line(null), 'final'],
    ['no body', { custom_id: 'a', response: { status_code: 200 }, error: null }, 'final'],
    // Not failures.
    ['an error of nulls in the body', line({ ...chat({ content: 'x' }), error: { code: null, message: null } }), 'succeeded'],
    ['an error of null in a response', line(response([], { error: null })), 'succeeded'],
    // Statuses and codes.
    ...[408, 409, 429, 500, 503, '500', 0].map((status) => [`${status}`, failing({ message: 'x' }, status), 'failed'] as [string, object, Outcome]),
    ...[400, 401, 404, 422, 301].map((status) => [`${status}`, failing({ message: 'x' }, status), 'final'] as [string, object, Outcome]),
    ['a 400 that comes and goes', failing({ message: 'We could not parse the JSON body of your request. (HINT…)', type: 'invalid_request_error' }, 400), 'failed'],
    ['429, no quota', failing({ code: 'insufficient_quota', message: 'x' }, 429), 'noCredit'],
    ['429, no quota in words', failing({ message: 'You exceeded your current quota, please check your plan' }, 429), 'noCredit'],
    ['402', failing({ message: 'Payment required' }, 402), 'noCredit'],
    ['400, content filter', failing({ code: 'content_filter', message: 'x' }, 400), 'filtered'],
    // Error lines without a response.
    ['no response, final', { custom_id: 'a', error: { code: 'invalid_request', message: 'x' } }, 'final'],
    ['no response, final type', { custom_id: 'a', response: null, error: { code: null, type: 'not_found_error' } }, 'final'],
    ['no response, passing', { custom_id: 'a', error: { code: 'request_timeout' } }, 'failed'],
    ['no response, unknown', { custom_id: 'a', error: { message: 'x' } }, 'failed'],
    ['expired', { custom_id: 'a', response: null, error: { code: 'batch_expired' } }, 'unfinished'],
    // Rows without the wrapper.
    ['the body as the response, chat', { custom_id: 'a', response: chat({ content: 'x' }) }, 'succeeded'],
    ['the body as the response, embeddings', { custom_id: 'a', response: { data: [{ embedding: [1] }] } }, 'succeeded'],
    ['the body as the response, an error', { custom_id: 'a', response: { error: { code: 'invalid_value' } } }, 'final'],
    ['the body as the response, a refusal', { custom_id: 'a', response: chat({ refusal: 'no' }) }, 'refused'],
    ['an empty response', { custom_id: 'a', response: {} }, 'failed'],
    // Odd statuses.
    ['status_code an object, an answer', line(chat({ content: 'x' }), { code: 200 }), 'succeeded'],
    ['status_code a list, no answer', line({}, [200]), 'failed'],
    ['status_code null, an answer', line(chat({ content: 'x' }), null), 'succeeded'],
    ['status_code a text', line(chat({ content: 'x' }), '200'), 'succeeded'],
    ['status_code NaN', line({}, 'abc'), 'failed'],
    // Refusals and filters.
    ['a refusal', line(chat({ content: null, refusal: 'no' })), 'refused'],
    ['an empty refusal', line(chat({ content: 'x', refusal: '' })), 'succeeded'],
    ['a refusal of a response', line(response([{ type: 'message', content: [{ type: 'refusal', refusal: 'no' }] }])), 'refused'],
    ['a content filter', line(chat({ content: '' }, 'content_filter')), 'filtered'],
    ['a content filter of a response', line(response([], { status: 'incomplete', incomplete_details: { reason: 'content_filter' } })), 'filtered'],
    ['a choice that ended in an error, and was paid for', line(chat({ content: '' }, 'error')), 'final'],
    ['two choices, one filtered', line({ choices: [{ finish_reason: 'content_filter' }, { finish_reason: 'stop' }] }), 'succeeded'],
    // Cut answers count unless the policy asks for them.
    ['cut by length', line(chat({ content: 'x' }, 'length')), 'succeeded'],
  ])('%s → %j counts as %s', (_, value, outcome) => {
    expect(outcomesOf(value, POLICY)).toEqual([outcome, outcome]);
  }); // prettier-ignore

  test('any value in any field → never an error', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    for (const odd of ['{}', '[]', '[[]]', '"x"', '1e999', '-0', 'true', 'null', '{"a":{}}', '[null]', deep]) {
      for (const text of [
        `{"custom_id":"a","response":${odd}}`,
        `{"custom_id":"a","response":{"status_code":${odd},"body":{}}}`,
        `{"custom_id":"a","response":{"status_code":200,"body":${odd}}}`,
        `{"custom_id":"a","response":{"status_code":200,"body":{"error":${odd}}}}`,
        `{"custom_id":"a","response":{"status_code":200,"body":{"choices":${odd},"output":${odd},"usage":${odd}}}}`,
        `{"custom_id":"a","response":{"status_code":200,"body":{"choices":[{"message":${odd},"finish_reason":${odd}}]}}}`,
        `{"custom_id":"a","response":{"status_code":200,"body":{"output":[{"content":${odd}}],"status":${odd}}}}`,
        `{"custom_id":"a","error":${odd}}`,
        `{"custom_id":"a","error":{"code":${odd},"type":${odd},"message":${odd}}}`,
      ]) {
        const [ofBatch, ofBulk] = outcomesOf(text, { ...POLICY, fit: SUM });
        expect(ofBatch).toBeDefined();
        expect(ofBulk).toBeDefined();
      }
    }
  });
});

describe('a policy', () => {
  const cut = line(chat({ content: '{"sum":' }, 'length'));

  test('codes, types and statuses that count as passing → failed, whatever the table says', () => {
    expect(under(failing({ code: 'Model_Busy' }, 400), { passing: ['model_busy'] })).toBe('failed');
    expect(under(failing({ type: 'flaky', code: 'x' }, 400), { passing: ['flaky'] })).toBe('failed');
    expect(under(failing({ message: 'x' }, 424), { passing: [424] })).toBe('failed');
    expect(under(line(null), { passing: ['no_body'] })).toBe('failed');
    expect(under(failing({ message: 'x' }, 400), { passing: [424, 'flaky'] })).toBe('final');
  });

  test('cut answers → truncated where they are sent again, or do not fit', () => {
    expect(under(cut, { sendAgain: new Set(['truncated']) })).toBe('truncated');
    expect(under(cut, { fit: SUM })).toBe('truncated');
    expect(under(line(chat({ content: '{"sum":4}' }, 'length')), { fit: SUM })).toBe('succeeded');
  });

  test.each<[string, object, Outcome]>([
    ['a text that fits', chat({ content: '{"sum":4}' }), 'succeeded'],
    ['a text that does not', chat({ content: '{"total":4}' }), 'mismatched'],
    ['a text that is not JSON', chat({ content: 'four' }), 'mismatched'],
    ['an empty text', chat({ content: ' ' }), 'noText'],
    ['no text', chat({ content: null }), 'noText'],
    ['embeddings', { data: [{ embedding: [1] }] }, 'noText'],
    ['a refusal', chat({ content: null, refusal: 'no' }), 'refused'],
    ['parts', chat({ content: [{ type: 'thinking', text: 'hm' }, { type: 'text', text: '{"sum":' }, { type: 'text', text: '4}' }] }), 'succeeded'],
    ['thoughts before the text', chat({ content: '<think>\n2 + 2?\n</think>\n{"sum":4}' }), 'succeeded'],
    ['a tool call', chat({ content: null, tool_calls: [{ function: { arguments: '{"sum":4}' } }] }, 'tool_calls'), 'succeeded'],
    ['a tool call that does not fit', chat({ content: null, tool_calls: [{ function: { arguments: '{}' } }] }), 'mismatched'],
    ['a function call', chat({ content: null, function_call: { arguments: '{"sum":4}' } }), 'succeeded'],
    ['legacy text', { choices: [{ text: '{"sum":4}', finish_reason: 'stop' }] }, 'succeeded'],
    ['a response with reasoning', response([{ type: 'reasoning', content: [{ type: 'reasoning_text', text: 'hm' }] }, { type: 'message', content: [{ type: 'output_text', text: '{"sum":4}' }] }]), 'succeeded'],
    ['a response with commentary', response([{ type: 'message', phase: 'commentary', content: [{ type: 'output_text', text: 'hm' }] }, { type: 'message', phase: 'final_answer', content: [{ type: 'output_text', text: '{"sum":4}' }] }]), 'succeeded'],
    ['a response with two messages', response([{ type: 'message', content: [{ type: 'output_text', text: 'Well:' }] }, { type: 'message', content: [{ type: 'output_text', text: '{"sum":4}' }] }]), 'succeeded'],
    ['a response with a text as content', response([{ type: 'message', content: '{"sum":4}' }]), 'succeeded'],
    ['a response with a tool call', response([{ type: 'function_call', arguments: '{"sum":4}' }]), 'succeeded'],
    ['a response with reasoning only', response([{ type: 'reasoning', content: [{ type: 'reasoning_text', text: '{"sum":4}' }] }]), 'noText'],
  ])('a schema: %s → %j counts as %s', (_, body, outcome) => {
    expect(under(line(body), { fit: SUM })).toBe(outcome);
  }); // prettier-ignore

  test('where the schema looks → text only, or tool calls only', () => {
    const both = line(chat({ content: '{"sum":4}', tool_calls: [{ function: { arguments: '{}' } }] }));
    expect(under(both, { fit: SUM })).toBe('succeeded');
    expect(under(both, { fit: fitOf('text') })).toBe('succeeded');
    expect(under(both, { fit: fitOf('toolCall') })).toBe('mismatched');
    const call = line(chat({ content: null, tool_calls: [{ function: { arguments: '{"sum":4}' } }] }));
    expect(under(call, { fit: fitOf('text') })).toBe('noText');
  });
});
