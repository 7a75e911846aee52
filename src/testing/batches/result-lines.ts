import { errorBody } from '../api-error.js';
import { hexId, randomFor } from '../random.js';
import { chatCompletion, textCompletion } from './answers/completions.js';
import { embeddings } from './answers/embeddings.js';
import { imagesAnswer, moderation, videoAnswer } from './answers/media.js';
import { responseObject } from './answers/response.js';
import type { AnswerBody, AnswerRequest } from './answers/write-answer.js';
import type { LineFault } from './line-fault.js';
import { countTokens, promptOf, questionOf } from './prompt.js';

/** A valid line of the input file. */
export interface InputLine {
  readonly custom_id: string;
  readonly body: Record<string, unknown>;
}

/** The batch to which the lines belong. */
export interface LineContext {
  readonly batchId: string;
  readonly seed: number;
  readonly endpoint: string;
  /** Epoch seconds. */
  readonly createdAt: number;
}

interface ResultLine {
  readonly id: string;
  readonly custom_id: string | null;
  /** With the fault `no-wrapper`, the body itself. */
  readonly response: unknown;
  readonly error: { readonly code: string | null; readonly message: string | null } | null;
}

const ANSWERS: Record<string, (request: AnswerRequest) => AnswerBody> = {
  '/v1/chat/completions': chatCompletion,
  '/v1/responses': responseObject,
  '/v1/embeddings': embeddings,
  '/v1/completions': textCompletion,
  '/v1/moderations': moderation,
  '/v1/videos': videoAnswer,
};

/** The body of a successful reply, the same for the same request and seed. */
function answerBody(endpoint: string, request: AnswerRequest): AnswerBody {
  const answer = ANSWERS[endpoint] ?? imagesAnswer;
  return answer(request);
}

const ENDINGS: Partial<Record<LineFault['kind'], AnswerRequest['ending']>> = {
  truncated: 'length',
  refusal: 'refusal',
  'content-filter': 'content_filter',
};

const randomOf = ({ seed, batchId }: LineContext, customId: string): (() => number) =>
  randomFor(seed, 'answer', batchId, customId);

const lineId = (random: () => number): string => `batch_req_${hexId(32, random)}`;

/** The output line of a request that succeeds. */
export function answeredLine(
  context: LineContext,
  { custom_id: customId, body }: InputLine,
  fault: LineFault | undefined,
): { line: ResultLine; usage: AnswerBody['usage'] } {
  const random = randomOf(context, customId);
  const answer = answerBody(context.endpoint, {
    body,
    question: questionOf(context.endpoint, body),
    inputTokens: countTokens(promptOf(context.endpoint, body)),
    model: typeof body.model === 'string' ? body.model : 'omni-moderation-latest',
    createdAt: context.createdAt,
    random,
    ending: (fault && ENDINGS[fault.kind]) ?? 'stop',
  });
  const written = bodyWith(fault, answer.body);
  const line = {
    id: lineId(random),
    custom_id: idWith(fault, customId),
    response:
      fault?.kind === 'no-wrapper' ? written : { status_code: 200, request_id: hexId(32, random), body: written },
    error: fault?.kind === 'null-error' ? { code: null, message: null } : null,
  };
  return { line, usage: answer.usage };
}

function idWith(fault: LineFault | undefined, customId: string): string | null {
  if (fault?.kind === 'null-id') return null;
  return fault?.kind === 'unknown-id' ? `${customId}-unknown` : customId;
}

function bodyWith(fault: LineFault | undefined, body: unknown): unknown {
  if (fault?.kind === 'null-body') return null;
  return fault?.kind === 'error-in-200' ? errorBody(500, STATUS_MESSAGES[500]!) : body;
}

/** What the output file contains for a line: nothing, the line once or twice, or a part of it. */
export function writtenLines(text: string, fault: LineFault | undefined): string[] {
  switch (fault?.kind) {
    case 'missing':
      return [];
    case 'duplicate':
      return [text, text];
    case 'malformed':
      return [text.slice(0, Math.ceil(text.length / 2))];
    default:
      return [text];
  }
}

const STATUS_MESSAGES: Record<number, string> = {
  400: 'Invalid request.',
  404: 'The model does not exist or you do not have access to it.',
  429: 'Rate limit reached for requests.',
  500: 'The server had an error while processing your request. Sorry about that!',
};

/** The error line of a request that fails. */
export function failedLine(context: LineContext, { custom_id }: InputLine, fault: LineFault | undefined): ResultLine {
  const random = randomOf(context, custom_id);
  const id = lineId(random);
  if (fault?.kind === 'no-credit') {
    const body = errorBody(429, 'You exceeded your current quota.', {
      type: 'insufficient_quota',
      code: 'insufficient_quota',
    });
    return { id, custom_id, response: { status_code: 429, request_id: hexId(32, random), body }, error: null };
  }
  if (fault?.kind !== 'status') {
    const error = { code: 'request_timeout', message: 'The request timed out.' };
    return { id, custom_id, response: null, error };
  }
  const { status } = fault;
  const body = status === 0 ? {} : errorBody(status, STATUS_MESSAGES[status] ?? `The request failed with ${status}.`);
  return { id, custom_id, response: { status_code: status, request_id: hexId(32, random), body }, error: null };
}

const UNFINISHED_MESSAGES = {
  batch_expired: 'This request could not be executed before the completion window expired.',
  batch_cancelled: 'This request was not executed because the batch was cancelled.',
};

export type UnfinishedCode = keyof typeof UNFINISHED_MESSAGES;

/** The error line of a request that was not answered before the batch ended. */
export function unfinishedLine(context: LineContext, { custom_id }: InputLine, code: UnfinishedCode): ResultLine {
  const error = { code, message: UNFINISHED_MESSAGES[code] };
  return { id: lineId(randomOf(context, custom_id)), custom_id, response: null, error };
}
