import { chatCompletion } from './chat.js';
import { completion } from './completion.js';
import { embeddings } from './embeddings.js';
import { imagesAnswer, moderation, videoAnswer } from './media.js';
import { responseObject } from './response.js';

export interface Usage {
  input: number;
  output: number;
}

export interface AnsweredBody {
  body: unknown;
  usage: Usage;
}

export interface AnswerRequest {
  body: Record<string, unknown>;
  /** The text that is answered. */
  question: string;
  /** Tokens of the prompt. */
  inputTokens: number;
  model: string;
  /** Epoch seconds. */
  createdAt: number;
  random: () => number;
  /** How the answer ends; `stop` is the usual end. */
  ending: 'stop' | 'length' | 'content_filter' | 'refusal';
}

/** The body of a successful reply of an endpoint, the same for the same request and seed. */
export function answerOf(endpoint: string, request: AnswerRequest): AnsweredBody {
  switch (endpoint) {
    case '/v1/chat/completions':
      return chatCompletion(request);
    case '/v1/responses':
      return responseObject(request);
    case '/v1/embeddings':
      return embeddings(request);
    case '/v1/completions':
      return completion(request);
    case '/v1/moderations':
      return moderation(request);
    case '/v1/videos':
      return videoAnswer(request);
    default:
      return imagesAnswer(request);
  }
}
