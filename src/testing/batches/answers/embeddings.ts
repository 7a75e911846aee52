import type OpenAI from 'openai';
import { randomFor } from '../../random.js';
import { countTokens, textOf } from '../prompt.js';
import type { AnswerBody, AnswerRequest } from './write-answer.js';

/** Far fewer than the 1536 of a real model, so that results of 50,000 lines stay small. A request can set more. */
const DIMENSIONS = 8;

/** `/v1/embeddings`: unit vectors that depend only on the text, the model and the number of dimensions. */
export function embeddings(request: AnswerRequest): AnswerBody {
  const { body, model } = request;
  const inputs = inputsOf(body.input);
  const dimensions = typeof body.dimensions === 'number' ? body.dimensions : DIMENSIONS;
  const tokens = inputs.reduce<number>((sum, input) => sum + countTokens(textOf(input)), 0);
  const encode = body.encoding_format === 'base64' ? base64 : (vector: number[]): number[] => vector;
  const answer = {
    object: 'list',
    data: inputs.map((input, index) => ({
      object: 'embedding',
      index,
      // The wire carries base64 if the request asks for it; the SDK's type has only the decoded form.
      embedding: encode(unitVector(textOf(input), model, dimensions)) as number[],
    })),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  } satisfies OpenAI.CreateEmbeddingResponse;
  return { body: answer, usage: { input: tokens, output: 0 } };
}

/** A string or a list of token numbers is one input; a list of those is several inputs. */
function inputsOf(input: unknown): unknown[] {
  return Array.isArray(input) && typeof input[0] !== 'number' ? input : [input];
}

function unitVector(text: string, model: string, dimensions: number): number[] {
  const random = randomFor('embedding', model, text);
  const vector = Array.from({ length: dimensions }, () => random() * 2 - 1);
  const norm = Math.hypot(...vector) || 1;
  return vector.map((value) => Number((value / norm).toFixed(6)));
}

function base64(vector: number[]): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString('base64');
}
