/** Bulk batches: split what is unanswered into parts, find the result of a part, merge all results. */
import type {
  BulkBatchActivities,
  BulkInput,
  MergeBulkInput,
  PlannedRound,
  PlanRoundInput,
  SplitPartInput,
} from '../contract/activities/bulk-batch.js';
import { batchResultSchema, type BatchResult } from '../contract/batch.js';
import type { BulkBatchResult } from '../contract/bulk-batch.js';
import type { CheckedFile } from '../contract/checked-file.js';
import { failure, invalidField, invalidInput } from '../contract/failures.js';
import type { FileRef } from '../contract/file-ref.js';
import type { BatchLimits } from '../contract/limits.js';
import { bounded } from '../contract/text.js';
import type { BulkPart, RoundPlan, SendReason } from '../contract/part.js';
import { jsonLines } from '../jsonl/json-lines.js';
import type { LineSource } from '../jsonl/lines.js';
import type { PartLimits } from '../requests/part-writer.js';
import { splitRequests } from '../requests/split.js';
import { fitsSchema } from '../results/answer-schema.js';
import type { PartResults } from '../results/bulk-account.js';
import { mergeResults, type Survey, surveyResults } from '../results/merge.js';
import type { Outcome } from '../results/request-outcomes.js';
import type { AnswerPolicy } from '../results/result-reader.js';
import { FileChangedError, readChecked, readRecorded } from '../storage/checked-file.js';
import { safeName } from '../storage/safe-name.js';
import type { Storage } from '../storage/storage.js';
import { providerApi } from './calls/provider-api.js';
import { assertMayHoldResults } from './calls/results-location.js';
import { batchIdOfRun } from './calls/runs.js';
import { listInput } from './calls/list-input.js';
import type { ActivityContext } from './runtime/context.js';
import { untilCancelled, withHeartbeat } from './runtime/heartbeat.js';

/** More parts would not fit into a workflow's payloads and history. The owner of a larger input has to divide it. */
const MAX_PARTS = 2_000;

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
      const survey = input.round === 1 ? null : await surveyResults(sources, this.#resultFiles(input), policy);
      if (survey?.open === 0) {
        const inputFiles = await readFiles();
        const plan = { round: input.round, requests: 0, reasons: {} };
        return { parts: [], requests: survey.requests, inputFiles, plan };
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
      const resultsUri = this.#uriOf(input, 'batches');
      return {
        parts: parts.map((part) => ({ ...part, resultsUri })),
        requests: survey?.requests ?? requests,
        inputFiles: await readFiles(),
        plan: { round: input.round, ...(survey ? reasonsOf(survey) : { requests, reasons: { first: requests } }) },
      };
    });
  }

  async splitPart(input: SplitPartInput): Promise<BulkPart[]> {
    const { round, part, tokens, firstNumber, maxParts } = input;
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
      const { resultsUri } = part;
      const smaller = parts.map((each) => ({ ...each, number: numberOf(each.number), resultsUri }));
      if (smaller.length <= maxParts) return smaller;
      for (const { file } of smaller) await this.#storage.delete(file.uri);
      return [];
    });
  }

  async findPartResult(input: { workflowId: string; resultsUri: string }): Promise<BatchResult | null> {
    const batchId = await batchIdOfRun(input.workflowId);
    if (batchId === null) return null;
    const manifest = this.#storage.resolve(input.resultsUri, safeName(batchId), 'manifest.json');
    if ((await this.#storage.stat(manifest)) === null) return null;
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.#storage.read(manifest)) chunks.push(chunk);
    // The manifest of a batch without a terminal status does not fit the schema: such a batch may still be running.
    return batchResultSchema.safeParse(JSON.parse(Buffer.concat(chunks).toString())).data ?? null;
  }

  async mergeBulk(input: MergeBulkInput): Promise<BulkBatchResult> {
    const suffix = input.gzip ? '.jsonl.gz' : '.jsonl';
    return this.#keepingAnswers(input, async () => {
      const { sources } = await this.#sources(input);
      const merged = await mergeResults(sources, this.#resultFiles(input), policyOf(input), {
        order: input.order,
        gzip: input.gzip,
        prices: input.prices ?? null,
        writeOutput: (content) => this.#storage.write(this.#uriOf(input, `output${suffix}`), content),
        writeErrors: (content) => this.#storage.write(this.#uriOf(input, `errors${suffix}`), content),
        writeUnreadable: (content) => this.#storage.write(this.#uriOf(input, 'unreadable.jsonl'), content),
      });
      const parts = await this.#writeParts(input);
      const result: BulkBatchResult = {
        status: input.cancellation ? 'cancelled' : 'completed',
        requests: merged.requests,
        lines: merged.lines,
        anomalies: input.anomalies,
        rounds: input.sent.length,
        sent: [...input.sent],
        batches: input.done.length,
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
        const parts = input.done.length === 0 ? null : await this.#writeParts(input);
        const kept =
          parts && `; the answers of ${input.done.length} batches are kept, and ${parts.uri} lists their files`;
        throw failure('InputChanged', `${error.message}${kept ?? ''}`, { uri: error.uri, parts });
      }
    });
  }

  #writeParts(input: BulkInput): Promise<FileRef> {
    return this.#storage.write(this.#uriOf(input, 'parts.jsonl'), jsonLines(input.done));
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

  #resultFiles(input: BulkInput): PartResults[] {
    return input.done.map(({ round, part, model, output, errors, unreadable, usage, failure: failed }) => ({
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

  #partUri(input: Pick<BulkInput, 'outputUri' | 'folder'>, round: number, part: number): string {
    return this.#uriOf(input, `round-${round}`, `part-${String(part).padStart(5, '0')}.jsonl`);
  }

  #uriOf(input: Pick<BulkInput, 'outputUri' | 'folder'>, ...names: string[]): string {
    return this.#storage.resolve(input.outputUri ?? this.#storage.defaultRoot, input.folder, ...names);
  }
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
