import type OpenAI from 'openai';
import { isObject, type JsonObject } from '../body-params.js';
import { parseObject, readLines } from '../jsonl-lines.js';
import { countTokens, promptOf } from './prompt.js';
import { failsLine, lineFaultOf, type LineFault } from './line-fault.js';

/** What validation finds in an input file. It keeps positions instead of lines, so that 50,000 lines stay small. */
export interface Inspection {
  readonly errors: readonly OpenAI.BatchError[];
  readonly model: string | null;
  readonly total: number;
  /** Estimated prompt tokens, which count against the enqueued tokens of the model. */
  readonly promptTokens: number;
  /** Byte offsets of the valid lines. */
  readonly offsets: Float64Array;
  /** Bytes of the valid lines. */
  readonly lengths: Uint32Array;
  /** 1 for a request that will fail. */
  readonly fails: Uint8Array;
}

interface InputRules {
  readonly endpoint: string;
  readonly maxRequests: number;
  readonly maxEmbeddingInputs: number;
  readonly knowsModel: (model: string) => boolean;
  /** Faults that a scenario puts on lines; `index` counts from 0. */
  readonly lineFault: ((index: number) => LineFault | undefined) | undefined;
}

/** The errors that the API lists for one file. */
const MAX_ERRORS = 50;

export const BATCH_ENDPOINTS = [
  '/v1/responses',
  '/v1/chat/completions',
  '/v1/embeddings',
  '/v1/completions',
  '/v1/moderations',
  '/v1/images/generations',
  '/v1/images/edits',
  '/v1/videos',
] as const;

/** What is known of the lines read so far. */
interface InputContext {
  readonly rules: InputRules;
  readonly ids: Set<string>;
  model: string | null;
  embeddingInputs: number;
}

/** Checks an input file as the API's validation does. */
export async function inspectInput(path: string, rules: InputRules): Promise<Inspection> {
  const context: InputContext = { rules, ids: new Set(), model: null, embeddingInputs: 0 };
  const errors: OpenAI.BatchError[] = [];
  const offsets: number[] = [];
  const lengths: number[] = [];
  const fails: number[] = [];
  let promptTokens = 0;
  let lines = 0;
  for await (const line of readLines(path)) {
    lines = line.number;
    // Further lines only count, for the error.
    if (lines > rules.maxRequests) continue;
    const checked = checkLine(line.text, context);
    if (!('body' in checked)) {
      if (errors.length < MAX_ERRORS) errors.push({ ...checked, line: line.number });
      continue;
    }
    const fault = rules.lineFault?.(offsets.length) ?? lineFaultOf(checked.body.user);
    offsets.push(line.offset);
    lengths.push(line.length);
    fails.push(failsLine(fault) ? 1 : 0);
    promptTokens += countTokens(promptOf(rules.endpoint, checked.body));
  }
  errors.push(...fileErrors(lines, context));
  return {
    errors,
    model: context.model,
    total: offsets.length,
    promptTokens,
    offsets: Float64Array.from(offsets),
    lengths: Uint32Array.from(lengths),
    fails: Uint8Array.from(fails),
  };
}

function fileErrors(lines: number, { rules, embeddingInputs }: InputContext): OpenAI.BatchError[] {
  if (lines === 0) return [batchError('empty_file', 'The input file is empty.')];
  if (lines > rules.maxRequests) {
    const message = `The batch input file contains too many requests: ${lines}. The maximum is ${rules.maxRequests}.`;
    return [batchError('too_many_tasks', message)];
  }
  if (embeddingInputs > rules.maxEmbeddingInputs) {
    const message = `The batch contains ${embeddingInputs} embedding inputs. The maximum is ${rules.maxEmbeddingInputs}.`;
    return [batchError('too_many_tasks', message)];
  }
  return [];
}

/** The inspection of a file that cannot be read at all. */
export function unreadableInput(code: string, message: string, param: string | null): Inspection {
  return {
    errors: [batchError(code, message, param)],
    model: null,
    total: 0,
    promptTokens: 0,
    offsets: new Float64Array(),
    lengths: new Uint32Array(),
    fails: new Uint8Array(),
  };
}

export function batchError(code: string, message: string, param: string | null = null): OpenAI.BatchError {
  return { code, message, param, line: null };
}

function checkLine(text: string, context: InputContext): OpenAI.BatchError | { body: JsonObject } {
  const request = parseObject(text);
  if (request === undefined) return batchError('invalid_json_line', 'This line is not parseable as valid JSON.');
  for (const param of ['custom_id', 'method', 'url', 'body']) {
    if (request[param] === undefined || request[param] === null || request[param] === '') return missingField(param);
  }
  const { custom_id: customId, method, url, body } = request;
  if (typeof customId !== 'string') {
    return batchError('invalid_type', "Invalid type for 'custom_id': expected a string.", 'custom_id');
  }
  if (method !== 'POST') {
    return batchError('invalid_method', `Invalid method: '${String(method)}'. Only 'POST' is supported.`, 'method');
  }
  const { endpoint } = context.rules;
  if (url !== endpoint) {
    return (BATCH_ENDPOINTS as readonly unknown[]).includes(url)
      ? batchError('url_mismatch', `The URL '${String(url)}' does not match the batch endpoint '${endpoint}'.`, 'url')
      : batchError('invalid_url', `The URL provided for this request is invalid: '${String(url)}'.`, 'url');
  }
  if (context.ids.has(customId)) {
    const message = `The custom_id '${customId}' for this request is a duplicate of another request. The custom_id parameter must be unique for each request in a batch.`;
    return batchError('duplicate_custom_id', message, 'custom_id');
  }
  context.ids.add(customId);
  if (!isObject(body)) return batchError('invalid_request', "'body' must be a JSON object.", 'body');
  return checkBody(body, context) ?? { body };
}

/** The parameter that holds the prompt, for endpoints that require it. */
const PROMPT_PARAM: Record<string, string | undefined> = {
  '/v1/chat/completions': 'messages',
  '/v1/embeddings': 'input',
  '/v1/completions': 'prompt',
};

function checkBody(body: JsonObject, context: InputContext): OpenAI.BatchError | undefined {
  const { rules } = context;
  const { model } = body;
  // For moderations and images the API has a default model.
  if (model === undefined && /moderations|images/u.test(rules.endpoint)) return undefined;
  if (typeof model !== 'string' || model === '') return missingField('body.model');
  if (!rules.knowsModel(model)) {
    const message = `The provided model '${model}' is not supported by the Batch API.`;
    return batchError('model_not_found', message, 'body.model');
  }
  context.model ??= model;
  if (model !== context.model) {
    const message = `The model '${model}' of this request does not match '${context.model}'. All requests in a batch must use the same model.`;
    return batchError('model_mismatch', message, 'body.model');
  }
  if (body.stream === true) {
    return batchError('streaming_unsupported', 'Streaming is not supported in the Batch API.', 'body.stream');
  }
  const prompt = PROMPT_PARAM[rules.endpoint];
  if (prompt !== undefined && body[prompt] === undefined) return missingField(`body.${prompt}`);
  if (rules.endpoint === '/v1/embeddings') {
    context.embeddingInputs += Array.isArray(body.input) ? body.input.length : 1;
  }
  return undefined;
}

function missingField(param: string): OpenAI.BatchError {
  return batchError('missing_required_parameter', `Missing required parameter: '${param}'.`, param);
}
