import type { BatchResult, LineCounts, TokenUsage } from '../contract/batch.js';
import { bounded } from '../contract/text.js';
import { grown } from '../jsonl/id-table.js';
import type { Line } from '../jsonl/lines.js';
import { LenientIds } from './lenient-ids.js';
import { LineIds } from './line-ids.js';
import { customIdWriter } from './renamed-line.js';
import { type Outcome, RequestOutcomes } from './request-outcomes.js';
import { type ResultLine, resultReader, type StrayLine } from './result-reader.js';
import { addUsage, noUsage } from './usage.js';

/** The account of a batch's results. */
export interface ResultsSummary {
  /** Distinct ids: of the input, or of the results if the input is not known. */
  readonly total: number;
  /** The four sum to `total`. */
  readonly lines: LineCounts;
  readonly anomalies: BatchResult['anomalies'];
  /** Requests of the input that are in neither of the provider's files. */
  readonly withoutLine: number;
  /** Distinct requests that have a response with a 2xx status, whatever it says. */
  readonly answered: number;
  /** Lines that are answers or failures, and that match no request. */
  readonly strayAnswers: number;
  /** Tokens of all lines, each line counted once. */
  readonly usage: TokenUsage;
  /** The model that the first succeeded answer names. */
  readonly model: string | null;
  /** The first few ids of each kind, bounded, for warnings. */
  readonly examples: {
    readonly missing: string[];
    readonly duplicates: string[];
    readonly unknownIds: string[];
  };
}

/** What becomes of a line. */
export type Placement =
  /** It counts for its request, unless a later one replaces it. `bytes` is the line under the request's own id. */
  | { readonly kind: 'counts'; readonly index: number; readonly outcome: Outcome; readonly bytes: Buffer | null }
  /** It is kept as it is, apart from the results. */
  | { readonly kind: 'aside' };

const ASIDE: Placement = { kind: 'aside' };
const MAX_EXAMPLES = 5;

/**
 * Accounts for the results of one batch: first `expect` every id of the input, then `record` every line of both files,
 * in any order. An id with several lines counts once, by the first line with its best outcome.
 *
 * If no id is expected, since the input cannot be read, the ids of the results are taken for those of the input, and
 * nothing is missing or unknown.
 */
export class BatchAccount {
  readonly outcomes = new RequestOutcomes();
  readonly #read = resultReader();
  readonly #lenientIds = new LenientIds(this.outcomes.ids);
  readonly #withCustomId = customIdWriter();
  readonly #lineIds = new LineIds();
  #expected = 0;
  readonly #usage = noUsage();
  readonly #anomalies = { duplicates: 0, unknownIds: 0, unreadable: 0 };
  readonly #examples = { duplicates: [] as string[], unknownIds: [] as string[] };
  #answered = 0;
  /** By index: 1 where the request has a response with a 2xx status. */
  #hasAnswer: Uint8Array<ArrayBuffer> = new Uint8Array(64);
  #strayAnswers = 0;
  #model: string | null = null;

  expect(customId: string): void {
    this.outcomes.add(customId);
    this.#expected = this.outcomes.ids.size;
  }

  record(line: Line): Placement {
    const result = this.#read(line);
    if (result === null) {
      this.#anomalies.unreadable += 1;
      this.#strayAnswers += 1;
      return ASIDE;
    }
    const index = result.customId === null ? -1 : this.#indexOf(result.customId);
    return index === -1 ? this.#recordStray(result) : this.#recordResult(index, result as ResultLine, line);
  }

  #recordResult(index: number, result: ResultLine, line: Line): Placement {
    const { id, outcome } = result;
    const isFirst = !this.outcomes.hasResult(index);
    const isTaken = this.outcomes.take(index, outcome, 1);
    const isNew = this.#lineIds.isNew(index, id);
    if (!isFirst) {
      this.#anomalies.duplicates += 1;
      addExample(this.#examples.duplicates, this.outcomes.ids.at(index));
    }
    if (isFirst || isNew || isTaken) addUsage(this.#usage, result.usage);
    if (result.isAnswered) this.#countAnswer(index);
    if (!isTaken) return ASIDE;
    if (outcome === 'succeeded') this.#model ??= result.model;
    const customId = this.outcomes.ids.at(index);
    if (result.customId === customId) return { kind: 'counts', index, outcome, bytes: null };
    const bytes = this.#withCustomId(line, customId);
    return { kind: 'counts', index, outcome, bytes };
  }

  #recordStray({ customId, outcome, usage }: ResultLine | StrayLine): Placement {
    this.#anomalies.unknownIds += 1;
    addExample(this.#examples.unknownIds, customId === null ? 'null' : String(customId));
    if (outcome !== 'unfinished') this.#strayAnswers += 1;
    addUsage(this.#usage, usage);
    return ASIDE;
  }

  #indexOf(customId: string | number): number {
    if (this.#expected === 0) return this.outcomes.add(String(customId));
    const index = typeof customId === 'string' ? this.outcomes.ids.find(customId) : -1;
    return index === -1 ? this.#lenientIds.find(customId) : index;
  }

  #countAnswer(index: number): void {
    this.#hasAnswer = grown(this.#hasAnswer, index + 1);
    if (this.#hasAnswer[index] === 1) return;
    this.#hasAnswer[index] = 1;
    this.#answered += 1;
  }

  /** The ids of the input without a line, in the order of the input. */
  *missingIds(): Generator<string> {
    for (let index = 0; index < this.#expected; index++) {
      if (!this.outcomes.hasResult(index)) yield this.outcomes.ids.at(index);
    }
  }

  summary(): ResultsSummary {
    const missing: string[] = [];
    if (this.outcomes.counts.missing > 0) {
      for (const id of this.missingIds()) if (missing.push(shown(id)) === MAX_EXAMPLES) break;
    }
    return {
      total: this.outcomes.ids.size,
      lines: this.outcomes.lineCounts(),
      anomalies: { ...this.#anomalies },
      withoutLine: this.outcomes.counts.missing,
      answered: this.#answered,
      strayAnswers: this.#strayAnswers,
      usage: { ...this.#usage },
      model: this.#model,
      examples: {
        missing,
        duplicates: [...this.#examples.duplicates],
        unknownIds: [...this.#examples.unknownIds],
      },
    };
  }
}

function addExample(examples: string[], id: string): void {
  if (examples.length < MAX_EXAMPLES && !examples.includes(shown(id))) examples.push(shown(id));
}

function shown(id: string): string {
  return bounded(id, 80);
}
