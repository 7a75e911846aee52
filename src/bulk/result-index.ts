/** Where the line is that counts for each request, over all rounds. Memory: some 40 bytes and the id itself for each request. */
import { IdTable } from '../jsonl/id-table.js';
import { judgeResult, usageOf } from '../jsonl/judge-result.js';
import { lineBlocks } from '../jsonl/lines.js';
import { isObject, parseLine } from '../jsonl/parse-line.js';
import { BATCH_LIMITS } from '../jobs/limits.js';
import type { TokenUsage } from '../jobs/batch.js';
import type { BulkSource } from './split-requests.js';

/** The collected results of one batch: files that this library wrote, so one line each and `\n` behind it. */
export interface BulkResultFiles {
  readonly round: number;
  readonly part: number;
  readonly model: string;
  readonly output: ResultReader | null;
  readonly errors: ResultReader | null;
}

export interface ResultReader {
  readonly uri: string;
  readonly open: (range?: { start: number }) => AsyncIterable<Uint8Array>;
}

/** Which answers are final. */
export interface AnswerPolicy {
  /** 429, 5xx and `status_code` 0; other errors are final. */
  readonly failed: 'final' | 'retry';
  /** Answers cut by their length. */
  readonly truncated: 'final' | 'retry';
  /** Whether a body fits, such as a JSON schema. Default: all do. */
  readonly accepts?: (body: unknown) => boolean;
}

/** What became of a request, by rank: a later line counts where its rank is not lower. */
export const FATES = ['missing', 'unfinished', 'failed', 'rejected', 'refused', 'answered'] as const;
export type Fate = (typeof FATES)[number];
const RANK = Object.fromEntries(FATES.map((fate, rank) => [fate, rank])) as Record<Fate, number>;

export interface Location {
  /** Index into {@link ResultIndex.files}. */
  readonly file: number;
  readonly offset: number;
  readonly length: number;
}

export interface IndexedFile {
  readonly reader: ResultReader;
  readonly round: number;
}

export class ResultIndex {
  readonly ids: IdTable;
  readonly files: IndexedFile[] = [];
  readonly usageByModel: Record<string, TokenUsage> = {};
  readonly counts: Record<Fate, number>;
  readonly #policy: AnswerPolicy;
  readonly #ranks: Uint8Array;
  readonly #fileOf: Uint16Array;
  readonly #offsets: Float64Array;
  readonly #lengths: Uint32Array;

  private constructor(ids: IdTable, policy: AnswerPolicy) {
    this.ids = ids;
    this.#policy = policy;
    this.#ranks = new Uint8Array(ids.size);
    this.#fileOf = new Uint16Array(ids.size);
    this.#offsets = new Float64Array(ids.size);
    this.#lengths = new Uint32Array(ids.size);
    this.counts = { missing: ids.size, unfinished: 0, failed: 0, rejected: 0, refused: 0, answered: 0 };
  }

  static async read(
    sources: readonly BulkSource[],
    results: readonly BulkResultFiles[],
    policy: AnswerPolicy,
  ): Promise<ResultIndex> {
    const index = new ResultIndex(await readIds(sources), policy);
    for (const result of results.toSorted((a, b) => a.round - b.round || a.part - b.part)) {
      for (const reader of [result.output, result.errors]) if (reader) await index.#readFile(reader, result);
    }
    return index;
  }

  /** What became of the request at this place of the input. */
  fateOf(index: number): Fate {
    return FATES[this.#ranks[index] ?? 0] ?? 'missing';
  }

  /** Its line; null for a missing one. */
  locationOf(index: number): Location | null {
    if (this.#ranks[index] === 0) return null;
    return { file: this.#fileOf[index] ?? 0, offset: this.#offsets[index] ?? 0, length: this.#lengths[index] ?? 0 };
  }

  /** Whether the request may be tried again. */
  isOpen(index: number): boolean {
    const fate = this.fateOf(index);
    return fate !== 'answered' && fate !== 'refused';
  }

  async #readFile(reader: ResultReader, { model, round }: BulkResultFiles): Promise<void> {
    const file = this.files.push({ reader, round }) - 1;
    let offset = 0;
    for await (const lines of lineBlocks(reader.open())) {
      for (const line of lines) {
        const start = offset;
        offset += line.byteLength + 1;
        const { object } = parseLine(line, BATCH_LIMITS.lineBytes);
        const id = object?.['custom_id'];
        const index = typeof id === 'string' ? this.ids.find(id) : -1;
        if (object === null || index === -1) continue;
        const fate = this.#judge(object);
        this.#addUsage(model, usageOf(object));
        const former = this.#ranks[index] ?? 0;
        if (RANK[fate] < former) continue;
        this.counts[FATES[former] ?? 'missing'] -= 1;
        this.counts[fate] += 1;
        this.#ranks[index] = RANK[fate];
        this.#fileOf[index] = file;
        this.#offsets[index] = start;
        this.#lengths[index] = line.byteLength;
      }
    }
  }

  #judge(result: Record<string, unknown>): Fate {
    const outcome = judgeResult(result);
    const response = isObject(result['response']) ? result['response'] : null;
    if (outcome === 'succeeded') {
      const body = response?.['body'];
      if (this.#policy.truncated === 'retry' && isTruncated(body)) return 'rejected';
      return this.#policy.accepts?.(body) === false ? 'rejected' : 'answered';
    }
    if (outcome === 'unfinished' || isMissingMark(result)) return 'unfinished';
    const status = Number(response?.['status_code'] ?? 0);
    const isPassing = status === 0 || status === 408 || status === 409 || status === 429 || status >= 500;
    return isPassing && this.#policy.failed === 'retry' ? 'failed' : 'refused';
  }

  #addUsage(model: string, usage: TokenUsage): void {
    const sum = this.usageByModel[model] ?? { inputTokens: 0, outputTokens: 0, totalTokens: 0 };
    this.usageByModel[model] = {
      inputTokens: sum.inputTokens + usage.inputTokens,
      outputTokens: sum.outputTokens + usage.outputTokens,
      totalTokens: sum.totalTokens + usage.totalTokens,
    };
  }
}

/** Our own line for a request that the provider's files do not have. */
function isMissingMark(result: Record<string, unknown>): boolean {
  return isObject(result['error']) && result['error']['code'] === 'missing' && result['response'] === null;
}

function isTruncated(body: unknown): boolean {
  if (!isObject(body)) return false;
  if (body['status'] === 'incomplete') return true;
  const { choices } = body;
  return Array.isArray(choices) && choices.some((choice) => isObject(choice) && choice['finish_reason'] === 'length');
}

/** The ids of the input in its order; `line-<n>` where a request has none, as the split gives them. */
async function readIds(sources: readonly BulkSource[]): Promise<IdTable> {
  const ids = new IdTable();
  let before = 0;
  for (const source of sources) {
    let last = 0;
    for await (const lines of lineBlocks(source.open())) {
      for (const line of lines) {
        last = line.number;
        const id = parseLine(line, BATCH_LIMITS.lineBytes).object?.['custom_id'];
        ids.add(typeof id === 'string' ? id : `line-${before + line.number}`);
      }
    }
    before += last;
  }
  return ids;
}
