import { chatCompletion } from './chat.js';
import { completion } from './completion.js';
import { embeddings } from './embeddings.js';
import { imagesAnswer, moderation, videoAnswer } from './media.js';
import { responseObject } from './response.js';

export interface Usage {
  readonly input: number;
  readonly output: number;
}

export interface AnsweredBody {
  readonly body: unknown;
  readonly usage: Usage;
}

export interface AnswerRequest {
  readonly body: Record<string, unknown>;
  /** The text that is answered. */
  readonly question: string;
  /** Tokens of the prompt. */
  readonly inputTokens: number;
  readonly model: string;
  /** Epoch seconds. */
  readonly createdAt: number;
  readonly random: () => number;
  /** How the answer ends; `stop` is the usual end. */
  readonly ending: 'stop' | 'length' | 'content_filter' | 'refusal';
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
