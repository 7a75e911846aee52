import type OpenAI from 'openai';
import { alphanumericId } from '../../random.js';
import type { AnsweredBody, AnswerRequest } from './answer.js';
import { writeAnswer } from './ending.js';

const FINISH = { stop: 'stop', length: 'length', content_filter: 'content_filter', refusal: 'stop' } as const;

/** Legacy `/v1/completions`. */
export function completion(request: AnswerRequest): AnsweredBody {
  const { inputTokens } = request;
  const answer = writeAnswer(request, undefined, request.body.max_tokens);
  const object = {
    id: `cmpl-${alphanumericId(29, request.random)}`,
    object: 'text_completion',
    created: request.createdAt,
    model: request.model,
    choices: [{ index: 0, text: answer.text, logprobs: null, finish_reason: FINISH[answer.ending] }],
    usage: {
      prompt_tokens: inputTokens,
      completion_tokens: answer.tokens,
      total_tokens: inputTokens + answer.tokens,
    },
  } satisfies OpenAI.Completion;
  return { body: object, usage: { input: inputTokens, output: answer.tokens } };
}
