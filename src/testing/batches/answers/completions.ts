import type OpenAI from 'openai';
import { alphanumericId } from '../../random.js';
import { writeAnswer, type AnswerBody, type AnswerRequest } from './write-answer.js';

const MAX_CHOICES = 128;
const FINISH_REASONS = { stop: 'stop', length: 'length', content_filter: 'content_filter', refusal: 'stop' } as const;

/** `/v1/chat/completions` */
export function chatCompletion(request: AnswerRequest): AnswerBody {
  const { body, inputTokens } = request;
  const count = typeof body.n === 'number' && body.n > 1 ? Math.min(Math.floor(body.n), MAX_CHOICES) : 1;
  const answers = Array.from({ length: count }, () =>
    writeAnswer(request, body.response_format, body.max_completion_tokens ?? body.max_tokens),
  );
  const output = answers.reduce((sum, answer) => sum + answer.tokens, 0);
  const completion = {
    id: `chatcmpl-${alphanumericId(29, request.random)}`,
    object: 'chat.completion',
    created: request.createdAt,
    model: request.model,
    choices: answers.map((answer, index) => ({
      index,
      message: {
        role: 'assistant',
        content: answer.ending === 'refusal' ? null : answer.text,
        refusal: answer.ending === 'refusal' ? answer.text : null,
        annotations: [],
      },
      logprobs: null,
      finish_reason: FINISH_REASONS[answer.ending],
    })),
    usage: {
      ...completionUsage(inputTokens, output),
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 0,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
    service_tier: 'default',
    system_fingerprint: null as unknown as string,
  } satisfies OpenAI.ChatCompletion;
  return { body: completion, usage: { input: inputTokens, output } };
}

/** The legacy `/v1/completions`. */
export function textCompletion(request: AnswerRequest): AnswerBody {
  const { inputTokens } = request;
  const answer = writeAnswer(request, undefined, request.body.max_tokens);
  const completion = {
    id: `cmpl-${alphanumericId(29, request.random)}`,
    object: 'text_completion',
    created: request.createdAt,
    model: request.model,
    choices: [{ index: 0, text: answer.text, logprobs: null, finish_reason: FINISH_REASONS[answer.ending] }],
    usage: completionUsage(inputTokens, answer.tokens),
  } satisfies OpenAI.Completion;
  return { body: completion, usage: { input: inputTokens, output: answer.tokens } };
}

function completionUsage(input: number, output: number): OpenAI.CompletionUsage {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}
