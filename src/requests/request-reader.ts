import { countEmbeddingInputs } from './check-input.js';
import { counted } from '../jsonl/fault-collector.js';
import { BRACE } from '../jsonl/json-skim.js';
import type { Line } from '../jsonl/lines.js';
import type { IdsByLine } from '../jsonl/ids-by-line.js';
import { isObject, kindOf, parseLine } from '../jsonl/parse-line.js';
import { RequestSkim } from './request-skim.js';
import { tokensOf } from './part-writer.js';
import type { SplitOptions } from './split.js';

/** What the split needs to know of a request. */
export interface Request {
  /** Whether it is among those that go into parts. */
  readonly isWanted: boolean;
  readonly model: string;
  readonly endpoint: string;
  readonly embeddingInputs: number;
  /** The line with what it lacked, or null where it lacked nothing. */
  readonly made: Buffer | null;
}

export interface RequestReaderOptions extends Pick<SplitOptions, 'limits' | 'missingCustomIds' | 'endpoint' | 'only'> {
  /** Tells a fault of the line at hand. */
  readonly fault: (message: string, field?: string) => void;
  /** Takes each `custom_id`, also of a request that has faults elsewhere. */
  readonly ids: IdsByLine;
}

const MAX_CUSTOM_ID = 512;
/** Checks the lines of a bulk batch one by one. A line that is right is skimmed; one that is not, or not surely, is parsed. */
export class RequestReader {
  readonly #options: RequestReaderOptions;
  readonly #skim = new RequestSkim();

  constructor(options: RequestReaderOptions) {
    this.#options = options;
  }

  /** The request, or null where the line has a fault, which was told. `number` counts the lines over all files. */
  read(line: Line, number: number): Request | null {
    return this.#skimmed(line, number) ?? this.#parsed(line, number);
  }

  /** The request of a line that is right in all and lacks nothing; null for any other, which says nothing against it. */
  #skimmed(line: Line, number: number): Request | null {
    const { limits, endpoint, ids, only } = this.#options;
    const skim = this.#skim;
    if (!skim.read(line)) return null;
    const { url, model } = skim;
    if (!url.startsWith('/') || url.endsWith('/embeddings') || (endpoint !== undefined && url !== endpoint))
      return null;
    if (skim.idLength > MAX_CUSTOM_ID) return null;
    const bytes = line.byteLength + 1;
    if (bytes > limits.bytes || tokensOf(bytes) > (limits.estimatedTokens ?? Infinity)) return null;
    skim.pushId(ids, number);
    return { isWanted: only === undefined || only(skim.id), model, endpoint: url, embeddingInputs: 0, made: null };
  }

  #parsed(line: Line, number: number): Request | null {
    const { endpoint, missingCustomIds, limits, ids, only } = this.#options;
    const { object, problem } = parseLine(line, limits.lineBytes);
    if (object === null) return this.#fault(problem);
    const { custom_id: ownId, method = 'POST', url = endpoint, body } = object;
    const getsId = missingCustomIds === 'fromLineNumber' && ownId === undefined;
    const id = getsId ? `line-${number}` : ownId;
    if (typeof id !== 'string' || id === '') {
      return this.#fault(`is ${id === '' ? 'empty' : kindOf(id)}; must be a string that is not empty`, 'custom_id');
    }
    if (id.length > MAX_CUSTOM_ID) {
      return this.#fault(`is ${id.length} characters long; at most ${MAX_CUSTOM_ID} are allowed`, 'custom_id');
    }
    if (!getsId && leadingId(line, id) !== id) return this.#fault('stands twice in the line', 'custom_id');
    ids.push(id, number);
    if (method !== 'POST') return this.#fault('must be "POST"', 'method');
    if (typeof url !== 'string' || !url.startsWith('/')) {
      return this.#fault('must be a path such as /v1/chat/completions', 'url');
    }
    if (endpoint !== undefined && url !== endpoint) return this.#fault(`must be ${endpoint}`, 'url');
    if (!isObject(body)) return this.#fault(`is ${kindOf(body)}; must be an object`, 'body');
    const { model, stream, input } = body;
    if (typeof model !== 'string' || model === '') return this.#fault('must be the name of a model', 'body.model');
    if (stream === true) return this.#fault('must not be true: a batch does not stream', 'body.stream');
    const embeddingInputs = url.endsWith('/embeddings') ? countEmbeddingInputs(input) : 0;
    const additions = [
      getsId ? `"custom_id":${JSON.stringify(id)},` : '',
      object['method'] === undefined ? '"method":"POST",' : '',
      object['url'] === undefined ? `"url":${JSON.stringify(url)},` : '',
    ].join('');
    const made = additions === '' ? null : withAdditions(line.bytes, additions);
    const tooMuch = this.#tooMuch((made?.length ?? line.byteLength) + 1, embeddingInputs);
    if (tooMuch !== null) return this.#fault(...tooMuch);
    return { isWanted: only === undefined || only(id), model, endpoint: url, embeddingInputs, made };
  }

  /** Why no part can take the request, not even alone. */
  #tooMuch(bytes: number, embeddingInputs: number): [message: string, field?: string] | null {
    const { limits } = this.#options;
    const { estimatedTokens = Infinity } = limits;
    if (bytes > limits.bytes) {
      return [`has ${counted(bytes)} bytes with its line break; a batch takes at most ${counted(limits.bytes)}`];
    }
    if (tokensOf(bytes) > estimatedTokens) {
      return [
        `has some ${counted(tokensOf(bytes))} tokens by its length; a part may have at most ${counted(estimatedTokens)}`,
      ];
    }
    if (embeddingInputs > limits.embeddingInputs) {
      const most = counted(limits.embeddingInputs);
      return [`has ${counted(embeddingInputs)} inputs; a batch takes at most ${most}`, 'body.input'];
    }
    return null;
  }

  #fault(message: string, field?: string): null {
    this.#options.fault(message, field);
    return null;
  }
}

/** The line is known to be an object that is not empty: what is put in stands before its first field. */
function withAdditions(line: Buffer, additions: string): Buffer {
  const brace = line.indexOf(BRACE) + 1;
  return Buffer.concat([line.subarray(0, brace), Buffer.from(additions), line.subarray(brace)]);
}

/**
 * The `custom_id` that a line begins with, as most do, or else `otherwise`: to read it needs a tenth of what reading the line does.
 * Where a line has the field twice it may be the wrong one, so such lines are no requests.
 */
export function leadingId<T>(line: Line, otherwise: T): string | T {
  const { block, start, end } = line;
  let at = spaceEnd(block, start);
  if (block[at] !== BRACE) return otherwise;
  at = spaceEnd(block, at + 1);
  for (let index = 0; index < LEADING_KEY.length; index++)
    if (block[at + index] !== LEADING_KEY[index]) return otherwise;
  at = spaceEnd(block, at + LEADING_KEY.length);
  if (block[at] !== 0x3a) return otherwise;
  at = spaceEnd(block, at + 1);
  if (block[at] !== 0x22) return otherwise;
  const first = ++at;
  // Plain letters alone: what is escaped or beyond ASCII is rare, and read the long way.
  while (at < end && block[at]! >= 0x20 && block[at]! < 0x7f && block[at] !== 0x22 && block[at] !== 0x5c) at++;
  return at < end && block[at] === 0x22 ? block.toString('latin1', first, at) : otherwise;
}

const LEADING_KEY = Buffer.from('"custom_id"');

function spaceEnd(block: Buffer, start: number): number {
  let at = start;
  while (block[at] === 0x20 || block[at] === 0x09) at++;
  return at;
}
