import { chatCompletion, textCompletion } from './completions.js';
import { embeddings } from './embeddings.js';
import { imagesAnswer, moderation, videoAnswer } from './media.js';
import { responseObject } from './response.js';
import type { AnswerBody, AnswerRequest } from './write-answer.js';

const ANSWERS: Record<string, (request: AnswerRequest) => AnswerBody> = {
  '/v1/chat/completions': chatCompletion,
  '/v1/responses': responseObject,
  '/v1/embeddings': embeddings,
  '/v1/completions': textCompletion,
  '/v1/moderations': moderation,
  '/v1/videos': videoAnswer,
};

/** The body of a successful reply of an endpoint, the same for the same request and seed. */
export function answerBody(endpoint: string, request: AnswerRequest): AnswerBody {
  const answer = ANSWERS[endpoint] ?? imagesAnswer;
  return answer(request);
}
