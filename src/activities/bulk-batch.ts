/** Bulk batches: split what is unanswered into parts, keep the outcomes of parts, merge all results. */
import type {
  BulkBatchActivities,
  BulkFolder,
  BulkInput,
  MergeBulkInput,
  PlannedRound,
  PlanRoundInput,
  ReadPartsInput,
  RecordOutcomesInput,
  SplitPartInput,
} from '../contract/activities/bulk-batch.js';
import type { BulkBatchResult } from '../contract/bulk-batch.js';
import type { CheckedFile } from '../contract/checked-file.js';
import { failure, invalidField, invalidInput } from '../contract/failures.js';
import type { FileRef } from '../contract/file-ref.js';
import type { BatchLimits } from '../contract/limits.js';
import { bounded } from '../contract/text.js';
import type { Part, PartOutcome, RoundPlan, SendReason } from '../contract/part.js';
import { jsonLines } from '../jsonl/json-lines.js';
import { lineBlocks, RESULT_LINES, type LineSource } from '../jsonl/lines.js';
import type { PartLimits } from '../requests/part-writer.js';
import { splitRequests } from '../requests/split.js';
import { fitsSchema } from '../results/answer-schema.js';
import type { PartResults } from '../results/bulk-account.js';
import { mergeResults, type Survey, surveyResults } from '../results/merge.js';
import type { Outcome } from '../results/request-outcomes.js';
import type { AnswerPolicy } from '../results/result-reader.js';
import { FileChangedError, readChecked, readRecorded } from '../storage/checked-file.js';
import type { Storage } from '../storage/storage.js';
import { providerApi } from './calls/provider-api.js';
import { assertMayHoldResults } from './calls/results-location.js';
import { listInput } from './calls/list-input.js';
import type { ActivityContext } from './runtime/context.js';
import { untilCancelled, withHeartbeat } from './runtime/heartbeat.js';

/** Parts of one round. The names of their files have five digits. */
const MAX_PARTS = 50_000;
/** Name of the list of all parts of a round. */
const LIST = 'parts';

export class BulkBatchActivityGroup implements BulkBatchActivities {
  readonly #context: ActivityContext;
  readonly #storage: Storage;

  constructor(context: ActivityContext) {
    this.#context = context;
    this.#storage = context.storage;
  }

  async planRound(input: PlanRoundInput): Promise<PlannedRound> {
    const { provider } = providerApi(this.#context, input.provider);
    // Reject an invalid schema before any batch is paid for.
    const policy = policyOf(input, input.only);
    assertMayHoldResults(this.#storage, input.outputUri);
    return this.#keepingAnswers(input, async () => {
      const { sources, readFiles } = await this.#sources(input);
      const results = this.#resultFiles(input, await this.#outcomes(input));
      const survey = input.round === 1 ? null : await surveyResults(sources, results, policy);
      const resultsUri = this.#uriOf(input, 'batches');
      if (survey?.open === 0) {
        const inputFiles = await readFiles();
        const plan = { round: input.round, requests: 0, reasons: {} };
        return { parts: 0, requests: survey.requests, inputFiles, plan, resultsUri };
      }
      const { parts, requests, faults } = await splitRequests(sources, {
        limits: partLimits(provider.batchLimits, input),
        missingCustomIds: input.missingCustomIds,
        ...(input.endpoint !== null && { endpoint: input.endpoint }),
        ...(survey && { only: survey.isOpen }),
        writePart: (part, content) => this.#storage.write(this.#partUri(input, input.round, part.number), content),
      });
      const hasTooManyParts = parts.length > MAX_PARTS;
      if (faults.total > 0 || hasTooManyParts) {
        for (const part of parts) await this.#storage.delete(part.file.uri);
        throw hasTooManyParts ? tooManyParts(parts.length) : invalidInput(faults);
      }
      await this.#storage.write(this.#listUri(input, input.round, LIST), jsonLines(parts));
      return {
        parts: parts.length,
        requests: survey?.requests ?? requests,
        inputFiles: await readFiles(),
        plan: { round: input.round, ...(survey ? reasonsOf(survey) : { requests, reasons: { first: requests } }) },
        resultsUri,
      };
    });
  }

  async splitPart(input: SplitPartInput): Promise<number> {
    const { round, part, tokens, firstNumber, maxParts, list } = input;
    const { provider } = providerApi(this.#context, input.provider);
    const numberOf = (number: number) => firstNumber + number - 1;
    return withHeartbeat(async () => {
      const { parts, faults } = await splitRequests([this.#fileOf(part.file.uri)], {
        limits: { ...provider.batchLimits, sharedTokensByModel: new Map([[part.model, tokens]]) },
        missingCustomIds: 'refuse',
        endpoint: part.endpoint,
        writePart: ({ number }, content) => this.#storage.write(this.#partUri(input, round, numberOf(number)), content),
      });
      if (faults.total > 0) throw invalidInput(faults, `${part.file.uri}: `);
      const smaller = parts.map((each) => ({ ...each, number: numberOf(each.number) }));
      if (smaller.length <= maxParts) {
        await this.#storage.write(this.#listUri(input, round, list), jsonLines(smaller));
        return smaller.length;
      }
      for (const { file } of smaller) await this.#storage.delete(file.uri);
      return 0;
    });
  }

  async readParts(input: ReadPartsInput): Promise<Part[]> {
    const { round, list, from, count } = input;
    const parts: Part[] = [];
    let index = 0;
    for await (const part of this.#readLines<Part>(this.#listUri(input, round, list))) {
      if (index >= from) parts.push(part);
      index += 1;
      if (parts.length === count) break;
    }
    return parts;
  }

  async recordOutcomes(input: RecordOutcomesInput): Promise<void> {
    await this.#storage.write(this.#outcomesUri(input, input.number), jsonLines(input.outcomes));
  }

  async mergeBulk(input: MergeBulkInput): Promise<BulkBatchResult> {
    const suffix = input.gzip ? '.jsonl.gz' : '.jsonl';
    return this.#keepingAnswers(input, async () => {
      const { sources } = await this.#sources(input);
      const outcomes = await this.#outcomes(input);
      const merged = await mergeResults(sources, this.#resultFiles(input, outcomes), policyOf(input), {
        order: input.order,
        gzip: input.gzip,
        prices: input.prices ?? null,
        writeOutput: (content) => this.#storage.write(this.#uriOf(input, `output${suffix}`), content),
        writeErrors: (content) => this.#storage.write(this.#uriOf(input, `errors${suffix}`), content),
        writeUnreadable: (content) => this.#storage.write(this.#uriOf(input, 'unreadable.jsonl'), content),
      });
      const parts = await this.#writeParts(input, outcomes);
      const result: BulkBatchResult = {
        status: input.cancellation ? 'cancelled' : 'completed',
        requests: merged.requests,
        lines: merged.lines,
        anomalies: input.anomalies,
        rounds: input.sent.length,
        sent: [...input.sent],
        batches: input.batches,
        output: merged.output,
        errors: merged.errors,
        unreadable: merged.unreadable,
        parts,
        usage: merged.usage,
        cost: merged.cost,
        cancellation: input.cancellation,
        warnings: [...input.warnings, ...priceWarnings(merged.unpriced)],
      };
      await this.#storage.write(this.#uriOf(input, 'manifest.json'), jsonLines([result]));
      return result;
    });
  }

  /** With heartbeats. A changed input becomes a failure that names where all answers so far are. */
  #keepingAnswers<T>(input: BulkInput, work: () => Promise<T>): Promise<T> {
    return withHeartbeat(async () => {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof FileChangedError)) throw error;
        const outcomes = await this.#outcomes(input);
        const parts = outcomes.length === 0 ? null : await this.#writeParts(input, outcomes);
        const kept =
          parts && `; the answers of ${outcomes.length} batches are kept, and ${parts.uri} lists their files`;
        throw failure('InputChanged', `${error.message}${kept ?? ''}`, { uri: error.uri, parts });
      }
    });
  }

  #writeParts(input: BulkInput, outcomes: readonly PartOutcome[]): Promise<FileRef> {
    return this.#storage.write(this.#uriOf(input, 'parts.jsonl'), jsonLines(outcomes));
  }

  /** The outcomes of all parts that have ended, in the order of their ends. */
  async #outcomes(input: BulkInput): Promise<PartOutcome[]> {
    const outcomes: PartOutcome[] = [];
    for (let number = 1; number <= input.outcomeFiles; number++) {
      const file = this.#readLines<PartOutcome>(this.#outcomesUri(input, number));
      for await (const outcome of file) outcomes.push(outcome);
    }
    return outcomes;
  }

  /** The lines of a JSONL file that these activities wrote. */
  async *#readLines<T>(uri: string): AsyncGenerator<T> {
    for await (const lines of lineBlocks(this.#storage.read(uri), RESULT_LINES)) {
      for (const line of lines) yield JSON.parse(line.text) as T;
    }
  }

  /** The files of the input, and a function that returns their list as they were read. */
  async #sources(input: BulkInput): Promise<{ sources: LineSource[]; readFiles: () => Promise<FileRef> }> {
    const { inputFiles } = input;
    if (inputFiles !== null) {
      const files = await this.#readInputFiles(inputFiles);
      const sources = files.map((file) => this.#checkedSource(file));
      return { sources, readFiles: async () => inputFiles };
    }
    const uris = await this.#inputUris(input);
    const files: CheckedFile[] = [];
    const sources = uris.map((uri, index) => ({
      uri,
      open: () => untilCancelled(readRecorded(this.#storage, uri, (file) => (files[index] = file))),
    }));
    const readFiles = () => this.#storage.write(this.#uriOf(input, 'input-files.jsonl'), jsonLines(files));
    return { sources, readFiles };
  }

  async #readInputFiles(list: FileRef): Promise<CheckedFile[]> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of readChecked(this.#storage, list)) chunks.push(Buffer.from(chunk));
    const lines = Buffer.concat(chunks).toString().split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as CheckedFile);
  }

  async #inputUris(bulk: BulkInput): Promise<readonly string[]> {
    const { input } = bulk;
    if ('uri' in input) return [input.uri];
    return 'uris' in input ? input.uris : listInput(this.#storage, input.prefix, this.#uriOf(bulk));
  }

  #resultFiles(input: BulkInput, outcomes: readonly PartOutcome[]): PartResults[] {
    return outcomes.map(({ round, part, model, output, errors, unreadable, usage, failure: failed }) => ({
      round,
      part,
      model,
      output: output === null ? null : this.#fileOf(output),
      errors: errors === null ? null : this.#fileOf(errors),
      unreadable: unreadable === null ? null : this.#fileOf(unreadable),
      usage,
      failure: failed && { ...failed, requests: this.#fileOf(this.#partUri(input, round, part)) },
    }));
  }

  #checkedSource(file: CheckedFile): LineSource {
    return { uri: file.uri, open: () => untilCancelled(readChecked(this.#storage, file)) };
  }

  #fileOf(uri: string): LineSource {
    return { uri, open: () => this.#storage.read(uri, { reuse: true }) };
  }

  #partUri(input: BulkFolder, round: number, part: number): string {
    return this.#uriOf(input, `round-${round}`, `part-${padded(part)}.jsonl`);
  }

  #listUri(input: BulkFolder, round: number, list: string): string {
    return this.#uriOf(input, `round-${round}`, `${list}.jsonl`);
  }

  #outcomesUri(input: BulkFolder, number: number): string {
    return this.#uriOf(input, 'outcomes', `${padded(number)}.jsonl`);
  }

  #uriOf(input: BulkFolder, ...names: string[]): string {
    return this.#storage.resolve(input.outputUri ?? this.#storage.defaultRoot, input.folder, ...names);
  }
}

function padded(number: number): string {
  return String(number).padStart(5, '0');
}

/** Outcomes whose requests may be sent again, the field of `retry` that asks for it, and the reason that the plan tells. */
const SEND_AGAIN: readonly {
  readonly outcome: Outcome;
  readonly retry: Exclude<keyof BulkInput['retry'], 'codes'> | null;
  readonly reason: SendReason;
}[] = [
  { outcome: 'unfinished', retry: null, reason: 'unfinished' },
  { outcome: 'failed', retry: 'failed', reason: 'failed' },
  { outcome: 'noCredit', retry: 'failed', reason: 'noCredit' },
  { outcome: 'mismatched', retry: 'mismatched', reason: 'mismatched' },
  { outcome: 'truncated', retry: 'truncated', reason: 'truncated' },
  { outcome: 'refused', retry: 'refused', reason: 'refused' },
  { outcome: 'filtered', retry: 'filtered', reason: 'filtered' },
  { outcome: 'noText', retry: 'noText', reason: 'noText' },
  { outcome: 'unreadable', retry: 'unreadable', reason: 'unreadable' },
  { outcome: 'missing', retry: 'undelivered', reason: 'undelivered' },
];

function policyOf(input: BulkInput, only: 'noCredit' | null = null): AnswerPolicy {
  const { retry, schema, structuredOutput } = input;
  const again = SEND_AGAIN.filter((row) => row.retry === null || retry[row.retry]).filter(
    (row) => only === null || row.outcome === only,
  );
  return {
    sendAgain: new Set(again.map(({ outcome }) => outcome)),
    passing: retry.codes,
    ...(schema && { fit: fitsSchema(schema, structuredOutput) }),
  };
}

function reasonsOf({ open, openByOutcome }: Survey): Omit<RoundPlan, 'round'> {
  const counted = SEND_AGAIN.map(({ outcome, reason }) => [reason, openByOutcome[outcome] ?? 0] as const);
  return { requests: open, reasons: Object.fromEntries(counted.filter(([, count]) => count > 0)) };
}

/** Warnings name at most this many models. */
const MAX_NAMED_MODELS = 5;

function priceWarnings(unpriced: readonly string[]): string[] {
  if (unpriced.length === 0) return [];
  const named = unpriced.slice(0, MAX_NAMED_MODELS).map((model) => JSON.stringify(bounded(model, 80)));
  const more = unpriced.length > named.length ? ` and ${unpriced.length - named.length} more` : '';
  return [`\`cost\` does not contain all usage: \`prices\` has no price for ${named.join(', ')}${more}`];
}

/**
 * The provider's limits, lowered by the spec and by the token budget: a part beyond the budget would never get
 * capacity.
 */
function partLimits(limits: BatchLimits, { split, enqueuedTokens, tokenLimits }: BulkInput): PartLimits {
  const budget = typeof enqueuedTokens === 'number' ? enqueuedTokens : Infinity;
  const tokens = Math.min(split.estimatedTokens ?? Infinity, budget);
  const budgets = typeof enqueuedTokens === 'number' ? {} : (enqueuedTokens ?? {});
  return {
    requests: Math.min(limits.requests, split.requests ?? Infinity),
    bytes: Math.min(limits.bytes, split.bytes ?? Infinity),
    embeddingInputs: limits.embeddingInputs,
    lineBytes: limits.lineBytes,
    ...(tokens < Infinity && { estimatedTokens: tokens }),
    tokensByModel: new Map(Object.entries(budgets)),
    sharedTokensByModel: new Map(Object.entries(tokenLimits)),
  };
}

function tooManyParts(count: number) {
  const [parts, limit] = [count, MAX_PARTS].map((number) => number.toLocaleString('en-US'));
  return invalidField('input', `the input makes ${parts} parts; the limit of a bulk batch is ${limit}`);
}
