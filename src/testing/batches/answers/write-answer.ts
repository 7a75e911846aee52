import { countTokens } from '../prompt.js';
import { answerText, valueOfSchema } from './prose.js';

export interface AnswerRequest {
  /** The body of the request. */
  readonly body: Record<string, unknown>;
  /** The text to answer. */
  readonly question: string;
  /** Tokens of the prompt. */
  readonly inputTokens: number;
  readonly model: string;
  /** Epoch seconds. */
  readonly createdAt: number;
  readonly random: () => number;
  /** How the answer ends; `stop` is the normal end. */
  readonly ending: 'stop' | 'length' | 'content_filter' | 'refusal';
}

export interface AnswerBody {
  readonly body: unknown;
  /** Tokens. */
  readonly usage: { readonly input: number; readonly output: number };
}

interface WrittenAnswer {
  readonly text: string;
  readonly tokens: number;
  readonly ending: AnswerRequest['ending'];
}

const REFUSAL = "I'm sorry, but I can't help with that.";
const CHARACTERS_PER_TOKEN = 4;

/**
 * The text of an answer, cut by the request's token limit or by its fault.
 *
 * @param format the request's `response_format` or `text.format`
 * @param maxTokens the request's token limit, as `countTokens` estimates tokens
 */
export function writeAnswer(request: AnswerRequest, format: unknown, maxTokens: unknown): WrittenAnswer {
  const full = fullText(request, format);
  if (request.ending === 'refusal') return { text: REFUSAL, tokens: countTokens(REFUSAL), ending: 'refusal' };
  if (request.ending === 'content_filter') return { text: '', tokens: 0, ending: 'content_filter' };
  const limit = typeof maxTokens === 'number' && maxTokens > 0 ? maxTokens : Infinity;
  const limitCharacters = request.ending === 'length' ? Math.floor(full.length / 2) : limit * CHARACTERS_PER_TOKEN;
  const text = full.slice(0, limitCharacters);
  return { text, tokens: countTokens(text), ending: text.length < full.length ? 'length' : 'stop' };
}

function fullText(request: AnswerRequest, format: unknown): string {
  const text = answerText(request.question, request.random);
  if (typeof format !== 'object' || format === null) return text;
  const { type, json_schema: wrapped, schema } = format as Record<string, unknown>;
  if (type === 'json_object') return JSON.stringify({ answer: text });
  if (type !== 'json_schema') return text;
  const inner = schema ?? (wrapped as Record<string, unknown> | undefined)?.schema;
  return JSON.stringify(valueOfSchema(inner, text, request.random));
}
