import type OpenAI from 'openai';
import { hexId } from '../../random.js';
import { writeAnswer, type AnswerBody, type AnswerRequest } from './write-answer.js';

const INCOMPLETE_REASONS: Record<AnswerRequest['ending'], OpenAI.Responses.Response.IncompleteDetails['reason']> = {
  stop: undefined,
  length: 'max_output_tokens',
  content_filter: 'content_filter',
  refusal: undefined,
};

/** `/v1/responses` */
export function responseObject(request: AnswerRequest): AnswerBody {
  const { body, inputTokens } = request;
  const format = (body.text as { format?: unknown } | undefined)?.format;
  const answer = writeAnswer(request, format, body.max_output_tokens);
  const reason = INCOMPLETE_REASONS[answer.ending];
  const status = reason === undefined ? 'completed' : 'incomplete';
  const response = {
    id: `resp_${hexId(48, request.random)}`,
    object: 'response',
    created_at: request.createdAt,
    status,
    background: false,
    error: null,
    incomplete_details: reason === undefined ? null : { reason },
    instructions: typeof body.instructions === 'string' ? body.instructions : null,
    max_output_tokens: typeof body.max_output_tokens === 'number' ? body.max_output_tokens : null,
    model: request.model,
    output: [
      {
        id: `msg_${hexId(48, request.random)}`,
        type: 'message',
        status,
        role: 'assistant',
        content: [
          answer.ending === 'refusal'
            ? { type: 'refusal', refusal: answer.text }
            : { type: 'output_text', text: answer.text, annotations: [] },
        ],
      },
    ],
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage: {
      input_tokens: inputTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: answer.tokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: inputTokens + answer.tokens,
    },
    metadata: {},
    // The SDK adds `output_text`; it does not exist on the wire.
  } satisfies Omit<OpenAI.Responses.Response, 'output_text' | 'usage'> & { usage: WireUsage };
  return { body: response, usage: { input: inputTokens, output: answer.tokens } };
}

type SdkUsage = OpenAI.Responses.ResponseUsage;
/** Usage without the details that only some models report. */
type WireUsage = Omit<SdkUsage, 'input_tokens_details'> & {
  input_tokens_details: Partial<SdkUsage['input_tokens_details']>;
};
