import type OpenAI from 'openai';
import { hexId } from '../../random.js';
import type { AnswerBody, AnswerRequest } from './write-answer.js';

const CATEGORIES = ['harassment', 'hate', 'illicit', 'self-harm', 'sexual', 'violence'] as const;

const eachCategory = <T>(value: () => T): Record<string, T> =>
  Object.fromEntries(CATEGORIES.map((category) => [category, value()]));

/** `/v1/moderations`: nothing is flagged, and only six of the categories are listed. */
export function moderation(request: AnswerRequest): AnswerBody {
  const inputs = Array.isArray(request.body.input) ? request.body.input : [request.body.input];
  const body = {
    id: `modr-${hexId(20, request.random)}`,
    model: request.model,
    results: inputs.map(() => ({
      flagged: false,
      categories: eachCategory(() => false),
      category_scores: eachCategory(() => Number((request.random() / 100).toFixed(6))),
      category_applied_input_types: eachCategory(() => ['text']),
    })),
  };
  return { body, usage: { input: 0, output: 0 } };
}

/** A PNG of one pixel. */
const PIXEL_PNG_BASE64 =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** `/v1/images/generations` and `/v1/images/edits`. */
export function imagesAnswer(request: AnswerRequest): AnswerBody {
  const count = typeof request.body.n === 'number' ? Math.min(Math.max(1, Math.floor(request.body.n)), 10) : 1;
  const output = 64 * count;
  const body = {
    created: request.createdAt,
    data: Array.from({ length: count }, () => ({ b64_json: PIXEL_PNG_BASE64 })),
    usage: {
      input_tokens: request.inputTokens,
      input_tokens_details: { image_tokens: 0, text_tokens: request.inputTokens },
      output_tokens: output,
      total_tokens: request.inputTokens + output,
    },
  } satisfies OpenAI.ImagesResponse;
  return { body, usage: { input: request.inputTokens, output } };
}

/** `/v1/videos`: a video job that has just started. */
export function videoAnswer(request: AnswerRequest): AnswerBody {
  const body = {
    id: `video_${hexId(32, request.random)}`,
    object: 'video',
    created_at: request.createdAt,
    status: 'queued',
    model: request.model,
    progress: 0,
    seconds: '4',
    size: '720x1280',
  };
  return { body, usage: { input: request.inputTokens, output: 0 } };
}
