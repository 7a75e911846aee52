import type { BatchResult, LineCounts, TokenUsage } from '../jobs/batch.js';
import { BATCH_LIMITS } from '../jobs/limits.js';
import { bounded } from '../jobs/text.js';
import { AnswerSkim } from './answer-skim.js';
import { IdTable } from './id-table.js';
import { judgeResult, modelOf, type ResultOutcome, usageOf } from './judge-result.js';
import type { Line } from './lines.js';
import { parseLine } from './parse-line.js';

/** Which of the provider's two files a line stands in. */
export type ResultFile = 'output' | 'errors';

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
    readonly strangers: string[];
  };
}

/** The line by which an id counts. */
export interface CountedLine {
  readonly outcome: ResultOutcome;
  readonly file: ResultFile;
  readonly number: number;
}

const EXAMPLES = 5;
const FILES: readonly ResultFile[] = ['output', 'errors'];
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
  /** By index of the id: rank of the outcome, and in the bit above it the file. */
  #states = new Uint8Array(64);
  /** By index of the id: number of the line that counts. */
  #lines = new Uint32Array(64);
  readonly #counts = [0, 0, 0, 0];
  readonly #usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };
  readonly #anomalies = { duplicates: 0, strangers: 0, unreadable: 0 };
  readonly #examples = { duplicates: [] as string[], strangers: [] as string[] };
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

  /** Takes a line of the results. */
  record(line: Line, file: ResultFile): void {
    this.#isRecording = true;
    // A model is told by any answer, and looked for until one tells it.
    if (this.#model !== null && this.#skim.read(line)) {
      if (this.#takes(this.#skim.customId, SUCCEEDED, line.number, file)) this.#addUsage(this.#skim.usage);
      return;
    }
    const { object } = parseLine(line, BATCH_LIMITS.lineBytes);
    const id = object?.['custom_id'];
    if (object === null || typeof id !== 'string') {
      this.#anomalies.unreadable++;
      return;
    }
    const rank = OUTCOMES.indexOf(judgeResult(object));
    if (!this.#takes(id, rank, line.number, file) || rank !== SUCCEEDED) return;
    this.#addUsage(usageOf(object));
    this.#model ??= modelOf(object);
  }

  /** The lines by which ids count, one for each id that is not missing. */
  *countedLines(): Generator<CountedLine> {
    for (let index = 0; index < this.#ids.size; index++) {
      const counted = this.#countedLine(index);
      if (counted) yield counted;
    }
  }

  /** The ids of the input that no line has, in its order. */
  *missingIds(): Generator<string> {
    for (let index = 0; index < this.#expected; index++) if (this.#states[index] === 0) yield this.#ids.at(index);
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
        strangers: [...this.#examples.strangers],
      },
    };
  }

  /** Whether the line is now the one by which the id counts. */
  #takes(id: string, rank: number, line: number, file: ResultFile): boolean {
    const index = this.#indexOf(id);
    if (index === -1) {
      this.#anomalies.strangers++;
      addExample(this.#examples.strangers, id);
      return false;
    }
    const former = this.#states[index]! & 3;
    if (former > 0) {
      this.#anomalies.duplicates++;
      addExample(this.#examples.duplicates, id);
      if (rank <= former) return false;
    }
    this.#counts[former]!--;
    this.#counts[rank]!++;
    this.#states[index] = rank | (FILES.indexOf(file) << 2);
    this.#lines[index] = line;
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

  #countedLine(index: number): CountedLine | null {
    const state = this.#states[index]!;
    const outcome = OUTCOMES[state & 3]!;
    if (outcome === 'missing') return null;
    return { outcome, file: FILES[state >> 2]!, number: this.#lines[index]! };
  }

  #addUsage({ inputTokens, outputTokens, totalTokens }: TokenUsage): void {
    this.#usage.inputTokens += inputTokens;
    this.#usage.outputTokens += outputTokens;
    this.#usage.totalTokens += totalTokens;
  }

  #grow(): void {
    if (this.#ids.size <= this.#states.length) return;
    const states = new Uint8Array(this.#ids.size * 2);
    states.set(this.#states);
    this.#states = states;
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
