import type { BatchResult, LineCounts, TokenUsage } from '../contract/batch.js';
import { bounded } from '../contract/text.js';
import type { Line } from '../jsonl/lines.js';
import { type Outcome, RequestOutcomes } from './request-outcomes.js';
import { resultReader } from './result-reader.js';
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
  /** Tokens of the succeeded requests, each counted once. */
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

const MAX_EXAMPLES = 5;

/**
 * Accounts for the results of one batch: first `expect` every id of the input, then `record` every line of both files,
 * in any order. An id with several lines counts once, by its first success, else its first failure, else its first
 * unfinished line.
 *
 * If no id is expected, since the input cannot be read, the ids of the results are taken for those of the input, and
 * nothing is missing or unknown.
 */
export class BatchAccount {
  readonly outcomes = new RequestOutcomes();
  readonly #read = resultReader(null);
  #expected = 0;
  readonly #usage = noUsage();
  readonly #anomalies = { duplicates: 0, unknownIds: 0, unreadable: 0 };
  readonly #examples = { duplicates: [] as string[], unknownIds: [] as string[] };
  #model: string | null = null;

  expect(customId: string): void {
    this.outcomes.add(customId);
    this.#expected = this.outcomes.ids.size;
  }

  /**
   * Returns what the line counts as, and the index of its request; null if it does not count. A later line may replace
   * it.
   */
  record(line: Line): { readonly index: number; readonly outcome: Outcome } | null {
    const result = this.#read(line);
    if (result === null) {
      this.#anomalies.unreadable += 1;
      return null;
    }
    const { customId, outcome } = result;
    const index = this.#expected > 0 ? this.outcomes.ids.find(customId) : this.outcomes.add(customId);
    if (index === -1) {
      this.#anomalies.unknownIds += 1;
      addExample(this.#examples.unknownIds, customId);
      return null;
    }
    if (this.outcomes.hasResult(index)) {
      this.#anomalies.duplicates += 1;
      addExample(this.#examples.duplicates, customId);
    }
    if (!this.outcomes.take(index, outcome, 1)) return null;
    if (outcome === 'succeeded') {
      addUsage(this.#usage, result.usage);
      this.#model ??= result.model;
    }
    return { index, outcome };
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
