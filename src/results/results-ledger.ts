import type { BatchResult, LineCounts, TokenUsage } from '../contract/batch.js';
import { BATCH_LIMITS } from '../contract/limits.js';
import { bounded } from '../contract/text.js';
import { AnswerSkim } from './answer-skim.js';
import { IdTable } from '../jsonl/id-table.js';
import { judgeResult, modelOf, type ResultOutcome, usageOf } from './judge-result.js';
import type { Line } from '../jsonl/lines.js';
import { parseLine } from '../jsonl/parse-line.js';

/** The account of a batch's results, line by line. */
export interface ResultsSummary {
  /** Distinct ids: of the input, or of the results where the input is not known. */
  readonly total: number;
  /** The four sum to `total`. */
  readonly lines: LineCounts;
  readonly anomalies: BatchResult['anomalies'];
  /** Tokens of the succeeded requests, each counted once. */
  readonly usage: TokenUsage;
  /** The model that the first succeeded answer names. */
  readonly model: string | null;
  /** The first few ids of each oddity, bounded, for a person to look at. */
  readonly examples: {
    readonly missing: string[];
    readonly duplicates: string[];
    readonly unknownIds: string[];
  };
}

const EXAMPLES = 5;
/** By rank: what an id counts as, when several lines have it. Later lines count only where they rank higher. */
const OUTCOMES = ['missing', 'unfinished', 'failed', 'succeeded'] as const;
const SUCCEEDED = 3;

/**
 * Accounts for the results of a batch: first `expect` every id of the input, then `record` every line of both files, in any order.
 * An id with several lines counts once, by its first success, or else its first failure, or else its first unfinished line.
 *
 * When no id is expected, since the input cannot be read, the results are all there is to go by: every id of theirs is taken for one
 * of the input, so nothing is ever missing and no id is a stranger.
 */
export class ResultsLedger {
  readonly #ids = new IdTable();
  #expected = 0;
  #isRecording = false;
  /** By index of the id: rank of the outcome. */
  #ranks = new Uint8Array(64);
  /** By index of the id, where it has no success: which of the lines without one counts. */
  #lines = new Uint32Array(64);
  /** Lines without success that counted when they came. */
  #unsuccessful = 0;
  readonly #counts = [0, 0, 0, 0];
  readonly #usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };
  readonly #anomalies = { duplicates: 0, unknownIds: 0, unreadable: 0 };
  readonly #examples = { duplicates: [] as string[], unknownIds: [] as string[] };
  #model: string | null = null;
  readonly #skim = new AnswerSkim();

  /** Takes an id of the input; false for one that it had already. */
  expect(customId: string): boolean {
    if (this.#isRecording) throw new TypeError('every id of the input has to be expected before a result is recorded');
    const before = this.#ids.size;
    if (this.#ids.add(customId) < before) return false;
    this.#grow();
    this.#counts[0]!++;
    this.#expected++;
    return true;
  }

  /**
   * Takes a line of the results, and tells as what it counts; null where it does not. A success counts for good. All else counts until a
   * better line of the same id comes, and is known by its number among such lines, from 0.
   */
  record(line: Line): ResultOutcome | null {
    this.#isRecording = true;
    // A model is told by any answer, and looked for until one tells it.
    if (this.#model !== null && this.#skim.read(line)) {
      if (!this.#takes(this.#skim.customId, SUCCEEDED)) return null;
      this.#addUsage(this.#skim.usage);
      return 'succeeded';
    }
    const { object } = parseLine(line, BATCH_LIMITS.lineBytes);
    const id = object?.['custom_id'];
    if (object === null || typeof id !== 'string') {
      this.#anomalies.unreadable++;
      return null;
    }
    const outcome = judgeResult(object);
    if (!this.#takes(id, OUTCOMES.indexOf(outcome))) return null;
    if (outcome === 'succeeded') {
      this.#addUsage(usageOf(object));
      this.#model ??= modelOf(object);
    }
    return outcome;
  }

  /** Numbers of the lines without success that count in the end. */
  *unsuccessfulLines(): Generator<number> {
    for (let index = 0; index < this.#ids.size; index++) {
      const rank = this.#ranks[index]!;
      if (rank > 0 && rank < SUCCEEDED) yield this.#lines[index]!;
    }
  }

  /** The ids of the input that no line has, in its order. */
  *missingIds(): Generator<string> {
    for (let index = 0; index < this.#expected; index++) if (this.#ranks[index] === 0) yield this.#ids.at(index);
  }

  summary(): ResultsSummary {
    const [missing, unfinished, failed, succeeded] = this.#counts as [number, number, number, number];
    const missingExamples: string[] = [];
    if (missing > 0) {
      for (const id of this.missingIds()) {
        if (missingExamples.push(shown(id)) === EXAMPLES) break;
      }
    }
    return {
      total: this.#ids.size,
      lines: { succeeded, failed, unfinished, missing },
      anomalies: { ...this.#anomalies },
      usage: { ...this.#usage },
      model: this.#model,
      examples: {
        missing: missingExamples,
        duplicates: [...this.#examples.duplicates],
        unknownIds: [...this.#examples.unknownIds],
      },
    };
  }

  /** Whether a line of this rank is now the one by which the id counts. */
  #takes(id: string, rank: number): boolean {
    const index = this.#indexOf(id);
    if (index === -1) {
      this.#anomalies.unknownIds++;
      addExample(this.#examples.unknownIds, id);
      return false;
    }
    const former = this.#ranks[index]!;
    if (former > 0) {
      this.#anomalies.duplicates++;
      addExample(this.#examples.duplicates, id);
      if (rank <= former) return false;
    }
    this.#counts[former]!--;
    this.#counts[rank]!++;
    this.#ranks[index] = rank;
    if (rank < SUCCEEDED) this.#lines[index] = this.#unsuccessful++;
    return true;
  }

  #indexOf(id: string): number {
    if (this.#expected > 0) return this.#ids.find(id);
    const before = this.#ids.size;
    const index = this.#ids.add(id);
    if (index === before) {
      this.#grow();
      this.#counts[0]!++;
    }
    return index;
  }

  #addUsage({ inputTokens, outputTokens, totalTokens }: TokenUsage): void {
    this.#usage.inputTokens += inputTokens;
    this.#usage.outputTokens += outputTokens;
    this.#usage.totalTokens += totalTokens;
  }

  #grow(): void {
    if (this.#ids.size <= this.#ranks.length) return;
    const ranks = new Uint8Array(this.#ids.size * 2);
    ranks.set(this.#ranks);
    this.#ranks = ranks;
    const lines = new Uint32Array(this.#ids.size * 2);
    lines.set(this.#lines);
    this.#lines = lines;
  }
}

function addExample(examples: string[], id: string): void {
  if (examples.length < EXAMPLES && !examples.includes(shown(id))) examples.push(shown(id));
}

function shown(id: string): string {
  return bounded(id, 80);
}
