/** The rules for one request of a batch, for a single batch's check and for the split of a bulk batch. */
import { estimatedTokensOf, MAX_CUSTOM_ID_LENGTH } from '../contract/limits.js';
import { counted } from '../jsonl/fault-collector.js';
import { isObject, mustBe } from '../jsonl/json-value.js';
import type { Line } from '../jsonl/lines.js';
import { parseLine } from '../jsonl/parse-line.js';
import { ARRAY, fieldScanner, type FieldValue, OBJECT, REPEATED } from '../jsonl/scan/field-scanner.js';
import { lineId } from './custom-id.js';

export interface RequestRules {
  /** The `url` that every request must have. Without it, any path is allowed. */
  readonly endpoint?: string;
  /** Whether a request without `method` or `url` is a fault, or gets `POST` and the endpoint. */
  readonly missingFields: 'refuse' | 'complete';
  /** Whether a request without `custom_id` is a fault, or gets `line-<n>`. */
  readonly missingCustomIds: 'refuse' | 'fromLineNumber';
  /** Limits of the file that the request goes into: the request alone must not exceed them. */
  readonly limits: {
    /** @default MAX_LINE_BYTES */
    readonly lineBytes?: number;
    /** @default Infinity */
    readonly bytes?: number;
    /** @default Infinity */
    readonly estimatedTokens?: number;
    /** The same for single models. */
    readonly tokensByModel?: ReadonlyMap<string, number>;
    /** @default Infinity */
    readonly embeddingInputs?: number;
  };
}

export interface RequestFault {
  /** Undefined for a fault of the whole line. */
  readonly field?: string;
  readonly message: string;
}

/** A valid request. Rules that concern several requests, such as unique ids, are checked by the caller. */
export interface CheckedRequest {
  readonly faults: null;
  readonly customId: string;
  /** Null where the endpoint has a default. */
  readonly model: string | null;
  /** The endpoint of the rules if there is one, which may differ from the request's `url` by `/v1`. */
  readonly endpoint: string;
  /** 0 unless the endpoint is one for embeddings. */
  readonly embeddingInputs: number;
  /** Bytes of the line, with a fixed number for each image and sound in it, from which tokens are estimated. */
  readonly promptBytes: number;
  /** The line with the fields that it lacked, without a line break; null if it lacked none. */
  readonly completed: Buffer | null;
}

/** A line with faults, and what is valid in it. */
export interface FaultyRequest {
  readonly faults: readonly RequestFault[];
  readonly customId: string | null;
  readonly model: string | null;
}

const CUSTOM_ID = 0;
const METHOD = 1;
const URL = 2;
const BODY = 3;
const MODEL = 4;
const STREAM = 5;
const INPUT = 6;
const PATHS = [['custom_id'], ['method'], ['url'], ['body'], ['body', 'model'], ['body', 'stream'], ['body', 'input']];

/** Makes a check of a line by these rules. `lineNumber` counts over all files of the input. */
export function requestCheck(rules: RequestRules): (line: Line, lineNumber: number) => CheckedRequest | FaultyRequest {
  const { endpoint, limits } = rules;
  const completes = rules.missingFields === 'complete';
  const givesIds = rules.missingCustomIds === 'fromLineNumber';
  const scan = fieldScanner(PATHS, { unique: CUSTOM_ID });
  return (line, lineNumber) => {
    const values = scan(line);
    if (values === null) return { faults: [unreadable(line, limits.lineBytes)], customId: null, model: null };
    const lacksId = givesIds && values[CUSTOM_ID] === undefined;
    const fields: Fields = {
      customId: lacksId ? lineId(lineNumber) : values[CUSTOM_ID],
      method: completes && values[METHOD] === undefined ? 'POST' : values[METHOD],
      url: completes && values[URL] === undefined ? endpoint : values[URL],
      body: values[BODY],
      model: values[MODEL],
      stream: values[STREAM],
    };
    if (!areValid(fields, endpoint)) {
      const { customId, model } = fields;
      return {
        faults: faultsOf(fields, endpoint),
        customId: isCustomId(customId) ? customId : null,
        model: isName(model) ? model : null,
      };
    }
    const { customId, url, model } = fields;
    const embeddingInputs = url.endsWith('/embeddings') ? embeddingInputsOf(values[INPUT], line) : 0;
    const additions = [
      lacksId ? `"custom_id":${JSON.stringify(customId)},` : '',
      values[METHOD] === undefined ? '"method":"POST",' : '',
      values[URL] === undefined ? `"url":${JSON.stringify(url)},` : '',
    ].join('');
    const completed = additions === '' ? null : withAdditions(line.bytes, additions);
    const bytes = (completed?.length ?? line.byteLength) + 1;
    const promptBytes = bytes - excessOfMedia(line);
    const tooLarge = sizeFault(bytes, promptBytes, embeddingInputs, limits, model ?? null);
    if (tooLarge !== null) return { faults: [tooLarge], customId, model: model ?? null };
    return {
      faults: null,
      customId,
      model: model ?? null,
      endpoint: endpoint ?? url,
      embeddingInputs,
      promptBytes,
      completed,
    };
  };
}

/** The fields of a request, with what is put in for missing ones. */
interface Fields {
  readonly customId: FieldValue;
  readonly method: FieldValue;
  readonly url: FieldValue;
  readonly body: FieldValue;
  readonly model: FieldValue;
  readonly stream: FieldValue;
}

type ValidFields = Fields & { readonly customId: string; readonly url: string; readonly model: string | undefined };

function areValid(fields: Fields, endpoint: string | undefined): fields is ValidFields {
  const { customId, method, url, body, model, stream } = fields;
  return (
    isCustomId(customId) &&
    method === 'POST' &&
    isUrl(url, endpoint) &&
    body === OBJECT &&
    isModel(model, url) &&
    stream !== true
  );
}

function faultsOf(fields: Fields, endpoint: string | undefined): RequestFault[] {
  const { customId, method, url, body, model, stream } = fields;
  const faults: RequestFault[] = [];
  if (!isCustomId(customId)) faults.push({ field: 'custom_id', message: customIdFault(customId) });
  if (method !== 'POST') faults.push({ field: 'method', message: 'must be "POST"' });
  if (!isUrl(url, endpoint)) {
    const expected = endpoint === undefined ? 'a path such as /v1/chat/completions' : `the endpoint, ${endpoint}`;
    faults.push({ field: 'url', message: `must be ${expected}` });
  }
  if (body !== OBJECT) {
    faults.push({ field: 'body', message: mustBe('an object', body) });
    return faults;
  }
  if (!isModel(model, url)) faults.push({ field: 'body.model', message: mustBe('the name of a model', model) });
  if (stream === true) faults.push({ field: 'body.stream', message: 'must not be true: a batch does not stream' });
  return faults;
}

/** Endpoints at which the API has a default model. */
const MODEL_IS_OPTIONAL = /\/(moderations|images\/(generations|edits))$/;

function isModel(value: FieldValue, url: FieldValue): value is string | undefined {
  return isName(value) || (value === undefined && typeof url === 'string' && MODEL_IS_OPTIONAL.test(url));
}

function isName(value: FieldValue): value is string {
  return typeof value === 'string' && value !== '';
}

function isCustomId(value: FieldValue): value is string {
  return isName(value) && value.length <= MAX_CUSTOM_ID_LENGTH;
}

function customIdFault(value: FieldValue): string {
  if (value === REPEATED) return 'occurs twice in the line, with different values';
  if (!isName(value)) return mustBe('a non-empty string', value);
  return `${value.length} characters; the limit is ${MAX_CUSTOM_ID_LENGTH}`;
}

function isUrl(value: FieldValue, endpoint: string | undefined): value is string {
  if (endpoint === undefined) return typeof value === 'string' && value.startsWith('/');
  return value === endpoint || (typeof value === 'string' && withoutVersion(value) === withoutVersion(endpoint));
}

/** Azure's create takes paths without `/v1`, whatever the lines have. */
function withoutVersion(path: string): string {
  return path.replace(/^\/v1(?=\/)/, '');
}

function unreadable(line: Line, maxBytes: number | undefined): RequestFault {
  return { message: parseLine(line, maxBytes).problem ?? 'not valid JSON' };
}

/** Why no part can contain the request, not even alone. `bytes` include the line break. */
function sizeFault(
  bytes: number,
  promptBytes: number,
  embeddingInputs: number,
  limits: RequestRules['limits'],
  model: string | null,
): RequestFault | null {
  const { bytes: maxBytes = Infinity, embeddingInputs: maxInputs = Infinity } = limits;
  if (bytes > maxBytes) {
    return { message: `${counted(bytes)} bytes with its line break; the limit of a part is ${counted(maxBytes)}` };
  }
  const tokens = estimatedTokensOf(promptBytes);
  const ofModel = (model !== null && limits.tokensByModel?.get(model)) || Infinity;
  const maxTokens = Math.min(limits.estimatedTokens ?? Infinity, ofModel);
  if (tokens > maxTokens) {
    return { message: `estimated ${counted(tokens)} tokens; the limit of a part is ${counted(maxTokens)}` };
  }
  if (embeddingInputs <= maxInputs) return null;
  const message = `${counted(embeddingInputs)} embedding inputs; the limit of a part is ${counted(maxInputs)}`;
  return { field: 'body.input', message };
}

/** A shorter line is not searched for images. */
const MIN_MEDIA_LINE_BYTES = 4_096;
const MEDIA_START = ';base64,';
const QUOTE = 0x22;
/** An image is estimated as a thousand tokens, at four bytes for each. */
const BYTES_OF_MEDIA = 4_000;

/** Bytes of base64 data in the line beyond those by which images and sounds are estimated. */
function excessOfMedia(line: Line): number {
  if (line.byteLength < MIN_MEDIA_LINE_BYTES) return 0;
  const { bytes } = line;
  let excess = 0;
  for (let at = bytes.indexOf(MEDIA_START); at !== -1; at = bytes.indexOf(MEDIA_START, at)) {
    const start = at + MEDIA_START.length;
    const end = bytes.indexOf(QUOTE, start);
    if (end === -1) break;
    excess += Math.max(0, end - start - BYTES_OF_MEDIA);
    at = end;
  }
  return excess;
}

/** Inserts fields before the first one. The line is an object with at least one field. */
function withAdditions(line: Buffer, additions: string): Buffer {
  const first = line.indexOf('{') + 1;
  return Buffer.concat([line.subarray(0, first), Buffer.from(additions), line.subarray(first)]);
}

function embeddingInputsOf(input: FieldValue, line: Line): number {
  if (input !== ARRAY) return countEmbeddingInputs(input);
  const body = parseLine(line).object?.body;
  return isObject(body) ? countEmbeddingInputs(body.input) : 0;
}

/**
 * Inputs of one embeddings request: a string or an array of tokens is one; an array of these is as many as it has
 * elements.
 */
export function countEmbeddingInputs(input: unknown): number {
  if (!Array.isArray(input)) return input === undefined || input === null ? 0 : 1;
  return typeof input[0] === 'number' ? 1 : input.length;
}
