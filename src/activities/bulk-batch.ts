/** Bulk batches: split what is unanswered into parts, keep the outcomes of parts, merge all results. */
import type {
  BulkBatchActivities,
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
import { PARTS_PER_PAGE, type Part, type PartOutcome, type RoundPlan, type SendReason } from '../contract/part.js';
import { TooManyIdsError } from '../jsonl/id-table.js';
import type { LineSource } from '../jsonl/lines.js';
import type { PartLimits } from '../requests/part-writer.js';
import { splitRequests } from '../requests/split.js';
import { fitsSchema } from '../results/answer-schema.js';
import type { PartResults } from '../results/bulk-account.js';
import { mergeResults, type Survey, surveyResults } from '../results/merge.js';
import type { Outcome } from '../results/request-outcomes.js';
import type { AnswerPolicy } from '../results/result-reader.js';
import { FileChangedError, readChecked, readRecorded } from '../storage/checked-file.js';
import type { Storage } from '../storage/storage.js';
import { BulkFiles } from './bulk/bulk-files.js';
import { assertSupported } from './calls/assert-supported.js';
import { providerApi } from './calls/provider-api.js';
import { assertMayHoldResults } from './calls/results-location.js';
import { listInput } from './calls/list-input.js';
import type { ActivityContext } from './runtime/context.js';
import { untilCancelled, withHeartbeat } from './runtime/heartbeat.js';
import { recordRun } from './runtime/record-run.js';

/** Parts of one round. The names of their files have five digits. */
const MAX_PARTS = 50_000;

export class BulkBatchActivityGroup implements BulkBatchActivities {
  readonly #context: ActivityContext;
  readonly #storage: Storage;

  constructor(context: ActivityContext) {
    this.#context = context;
    this.#storage = context.storage;
  }

  async planRound(input: PlanRoundInput): Promise<PlannedRound> {
    const { round } = input;
    const { provider } = providerApi(this.#context, input.provider);
    assertSupported(provider, 'batches', 'uploads');
    // Reject an invalid schema before any batch is paid for.
    const policy = policyOf(input, input.only);
    assertMayHoldResults(this.#storage, input.outputUri);
    return this.#keepingAnswers(input, async (files) => {
      const { resultsUri } = files;
      const nothing = { parts: 0, firstParts: [], plan: { round, requests: 0, reasons: {} }, resultsUri };
      const completed = await files.readCompleted();
      if (completed) return { ...nothing, requests: completed.requests, inputFiles: input.inputFiles };
      const { sources, readFiles } = await this.#sources(input, files);
      const results = resultFiles(files, await files.readOutcomes(input));
      const survey = round === 1 ? null : await surveyResults(sources, results, policy);
      if (survey?.open === 0) return { ...nothing, requests: survey.requests, inputFiles: await readFiles() };
      const { parts, requests, faults } = await splitRequests(sources, {
        limits: partLimits(provider.batchLimits, input),
        missingCustomIds: input.missingCustomIds,
        ...(input.endpoint !== null && { endpoint: input.endpoint }),
        ...(survey && { only: survey.isOpen }),
        writePart: (part, content) => files.writePart(round, part.number, content),
      });
      const hasTooManyParts = parts.length > MAX_PARTS;
      if (faults.total > 0 || hasTooManyParts) {
        for (const part of parts) await this.#storage.delete(part.file.uri);
        throw hasTooManyParts ? tooManyParts(parts.length) : invalidInput(faults);
      }
      await files.writeList(round, parts);
      return {
        parts: parts.length,
        firstParts: parts.slice(0, PARTS_PER_PAGE),
        requests: survey?.requests ?? requests,
        inputFiles: await readFiles(),
        plan: { round, ...(survey ? reasonsOf(survey) : { requests, reasons: { first: requests } }) },
        resultsUri,
      };
    });
  }

  async splitPart(input: SplitPartInput): Promise<number> {
    const { round, part, tokens, firstNumber, maxParts, list } = input;
    const { provider } = providerApi(this.#context, input.provider);
    const files = new BulkFiles(this.#storage, input);
    const numberOf = (number: number) => firstNumber + number - 1;
    return withHeartbeat(async () => {
      const { parts, faults } = await splitRequests([files.source(part.file.uri)], {
        limits: { ...provider.batchLimits, sharedTokensByModel: new Map([[part.model, tokens]]) },
        missingCustomIds: 'refuse',
        endpoint: part.endpoint,
        writePart: ({ number }, content) => files.writePart(round, numberOf(number), content),
      });
      if (faults.total > 0) throw invalidInput(faults, `${part.file.uri}: `);
      const smaller = parts.map((each) => ({ ...each, number: numberOf(each.number) }));
      if (smaller.length <= maxParts) {
        await files.writeList(round, smaller, list);
        return smaller.length;
      }
      for (const { file } of smaller) await this.#storage.delete(file.uri);
      return 0;
    });
  }

  async readParts({ round, list, from, count, ...folder }: ReadPartsInput): Promise<Part[]> {
    return new BulkFiles(this.#storage, folder).readList(round, list, from, count);
  }

  async recordOutcomes({ number, outcomes, ...folder }: RecordOutcomesInput): Promise<void> {
    await new BulkFiles(this.#storage, folder).writeOutcomes(number, outcomes);
  }

  async mergeBulk(input: MergeBulkInput): Promise<BulkBatchResult> {
    const suffix = input.gzip ? '.jsonl.gz' : '.jsonl';
    return this.#keepingAnswers(input, async (files) => {
      const completed = await files.readCompleted();
      if (completed) {
        await this.#record(files.manifestUri, input);
        return this.#tidied(completed, files, input.keepParts);
      }
      const { sources } = await this.#sources(input, files);
      const outcomes = await files.readOutcomes(input);
      const merged = await mergeResults(sources, resultFiles(files, outcomes), policyOf(input), {
        order: input.order,
        gzip: input.gzip,
        prices: input.prices ?? null,
        writeOutput: (content) => files.write(`output${suffix}`, content),
        writeErrors: (content) => files.write(`errors${suffix}`, content),
        writeUnreadable: (content) => files.write('unreadable.jsonl', content),
      });
      const isKept = input.keepParts || input.cancellation !== null || merged.output === null;
      const parts = await files.writeParts(isKept ? outcomes : outcomes.map(withoutFiles));
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
      await files.writeManifest(result);
      await this.#record(files.manifestUri, input);
      return this.#tidied(result, files, isKept);
    });
  }

  /** The folder is named after the first run of the chain, by whose id the run is asked for, too. */
  async #record(manifest: string, { folder }: BulkInput): Promise<void> {
    await recordRun(this.#storage, manifest, folder.split('.').at(-1));
  }

  async #tidied(result: BulkBatchResult, files: BulkFiles, isKept: boolean): Promise<BulkBatchResult> {
    const { output, errors, unreadable, rounds } = result;
    if (!isKept && output !== null) await files.removeParts(rounds, [output, errors, unreadable]);
    return result;
  }

  /** With heartbeats. A changed input becomes a failure that names where all answers so far are. */
  #keepingAnswers<T>(input: BulkInput, work: (files: BulkFiles) => Promise<T>): Promise<T> {
    const files = new BulkFiles(this.#storage, input);
    return withHeartbeat(async () => {
      try {
        return await work(files);
      } catch (error) {
        if (error instanceof TooManyIdsError) throw invalidField('input', error.message);
        if (!(error instanceof FileChangedError)) throw error;
        const outcomes = await files.readOutcomes(input);
        const parts = outcomes.length === 0 ? null : await files.writeParts(outcomes);
        const kept =
          parts && `; the answers of ${outcomes.length} batches are kept, and ${parts.uri} lists their files`;
        throw failure('InputChanged', `${error.message}${kept ?? ''}`, { uri: error.uri, parts });
      }
    });
  }

  /** The files of the input, and a function that returns their list as they were read. */
  async #sources(
    input: BulkInput,
    files: BulkFiles,
  ): Promise<{ sources: LineSource[]; readFiles: () => Promise<FileRef> }> {
    const { inputFiles } = input;
    if (inputFiles !== null) {
      const checked = await files.readInputFiles(inputFiles);
      return { sources: checked.map((file) => this.#checkedSource(file)), readFiles: async () => inputFiles };
    }
    const uris = await this.#inputUris(input, files);
    const read: CheckedFile[] = [];
    const sources = uris.map((uri, index) => ({
      uri,
      open: () => untilCancelled(readRecorded(this.#storage, uri, (file) => (read[index] = file))),
    }));
    return { sources, readFiles: () => files.writeInputFiles(read) };
  }

  async #inputUris({ input }: BulkInput, files: BulkFiles): Promise<readonly string[]> {
    if ('uri' in input) return [input.uri];
    return 'uris' in input ? input.uris : listInput(this.#storage, input.prefix, files.uri);
  }

  #checkedSource(file: CheckedFile): LineSource {
    return { uri: file.uri, open: () => untilCancelled(readChecked(this.#storage, file)) };
  }
}

function resultFiles(files: BulkFiles, outcomes: readonly PartOutcome[]): PartResults[] {
  return outcomes.map(({ round, part, model, output, errors, unreadable, usage, failure: failed }) => ({
    round,
    part,
    model,
    output: output === null ? null : files.source(output),
    errors: errors === null ? null : files.source(errors),
    unreadable: unreadable === null ? null : files.source(unreadable),
    usage,
    failure: failed && { ...failed, requests: files.source(files.partUri(round, part)) },
  }));
}

function withoutFiles(outcome: PartOutcome): PartOutcome {
  return { ...outcome, output: null, errors: null, unreadable: null };
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
