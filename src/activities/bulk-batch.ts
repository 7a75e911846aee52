/** The bulk batch's work on files: split what is to be asked into parts, merge what was answered. */
import { getClient } from '@temporalio/activity';
import { isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import type { ApplicationFailure } from '@temporalio/common';
import type { PartResults } from '../results/bulk-account.js';
import { mergeResults, surveyResults } from '../results/merge.js';
import type { AnswerPolicy } from '../results/result-reader.js';
import { jsonLines } from '../jsonl/json-lines.js';
import type { LineSource } from '../jsonl/lines.js';
import type { BulkInput, MergeBulkInput, PlanRoundInput } from '../contract/activities/bulk-batch.js';
import { batchResultSchema, type BatchProgress, type BatchResult } from '../contract/batch.js';
import type { BulkBatchResult } from '../contract/bulk-batch.js';
import { invalidField, invalidInput } from '../contract/failures.js';
import type { BatchLimits } from '../contract/limits.js';
import type { BulkPart } from '../contract/part.js';
import type { PartLimits } from '../requests/part-writer.js';
import { splitRequests } from '../requests/split.js';
import { decompressed } from '../storage/gzip.js';
import { safeName } from '../storage/safe-name.js';
import { providerApi } from './calls/provider-api.js';
import { untilCancelled, withHeartbeat } from './runtime/heartbeat.js';
import { fitsSchema } from '../results/answer-schema.js';
import type { ActivityContext } from './runtime/context.js';

/** More parts than this would not fit into a workflow's payloads and history; a larger bulk is split by its owner. */
const MAX_PARTS = 2_000;

export function bulkBatchActivities(toolbox: ActivityContext) {
  const { storage } = toolbox;
  return {
    /**
     * Splits what is still to be answered into parts, each a valid batch input of one model and endpoint. Round 1 checks every line;
     * fails with `InvalidInput` and the first faults.
     */
    async planRound(input: PlanRoundInput): Promise<{ parts: BulkPart[]; requests: number }> {
      const { provider } = providerApi(toolbox, input.provider);
      // Before anything else: a schema that is none must not be found only when there are answers.
      const policy = policyOf(input);
      return withHeartbeat(async () => {
        const sources = await sourcesOf(input.input);
        const survey = input.round === 1 ? null : await surveyResults(sources, resultFiles(input), policy);
        if (survey?.open === 0) return { parts: [], requests: survey.requests };
        const { parts, requests, faults } = await splitRequests(sources, {
          limits: partLimits(provider.batchLimits, input),
          missingCustomIds: input.missingCustomIds,
          ...(input.endpoint !== null && { endpoint: input.endpoint }),
          ...(survey && { only: survey.isOpen }),
          writePart: (part, content) => storage.write(partUri(input, input.round, part.number), content),
        });
        const tooMany = parts.length > MAX_PARTS;
        if (faults.total > 0 || tooMany) {
          for (const part of parts) await storage.delete(part.file.uri);
          throw tooMany ? tooManyParts(parts.length) : invalidInput(faults);
        }
        const resultsUri = place(input, 'batches');
        return { parts: parts.map((part) => ({ ...part, resultsUri })), requests: survey?.requests ?? requests };
      });
    },

    /** The result that a part's run had written when it was cancelled or terminated; null where it had none, or none that is whole. */
    async findPartResult({
      workflowId,
      resultsUri,
    }: {
      workflowId: string;
      resultsUri: string;
    }): Promise<BatchResult | null> {
      const jobId = await jobIdOf(workflowId);
      if (jobId === null) return null;
      const manifest = storage.resolve(resultsUri, safeName(jobId), 'manifest.json');
      if ((await storage.stat(manifest)) === null) return null;
      const chunks: Uint8Array[] = [];
      for await (const chunk of storage.read(manifest)) chunks.push(chunk);
      // The manifest of a batch that had no end is no result: such a batch may still go on.
      return batchResultSchema.safeParse(JSON.parse(Buffer.concat(chunks).toString())).data ?? null;
    },

    /** Writes one output and one errors file over all rounds, and the result itself beside them as `manifest.json`. */
    async mergeBulk(input: MergeBulkInput): Promise<BulkBatchResult> {
      return withHeartbeat(async () => {
        const suffix = input.gzip ? '.jsonl.gz' : '.jsonl';
        const sources = await sourcesOf(input.input);
        const merged = await mergeResults(sources, resultFiles(input), policyOf(input), {
          order: input.order,
          gzip: input.gzip,
          prices: input.prices ?? null,
          writeOutput: (content) => storage.write(place(input, `output${suffix}`), content),
          writeErrors: (content) => storage.write(place(input, `errors${suffix}`), content),
        });
        const parts = await storage.write(place(input, 'parts.jsonl'), jsonLines(input.done));
        const result: BulkBatchResult = {
          status: input.cancellation ? 'cancelled' : 'completed',
          requests: merged.requests,
          lines: merged.lines,
          rounds: input.round,
          batches: input.done.length,
          output: merged.output,
          errors: merged.errors,
          parts,
          usage: merged.usage,
          cost: merged.cost,
          cancellation: input.cancellation,
          warnings: [...input.warnings],
        };
        await storage.write(place(input, 'manifest.json'), jsonLines([result]));
        return result;
      });
    },
  };

  function resultFiles(input: BulkInput): PartResults[] {
    return input.done.map(({ round, part, model, output, errors, failure }) => ({
      round,
      part,
      model,
      output: output === null ? null : fileOf(output),
      errors: errors === null ? null : fileOf(errors),
      failure: failure && { ...failure, requests: fileOf(partUri(input, round, part)) },
    }));
  }

  function fileOf(uri: string): LineSource {
    return { uri, open: () => storage.read(uri, { reuse: true }) };
  }

  function partUri(input: BulkInput, round: number, part: number): string {
    return place(input, `round-${round}`, `part-${String(part).padStart(5, '0')}.jsonl`);
  }

  function place(input: BulkInput, ...names: string[]): string {
    return storage.resolve(input.outputUri ?? storage.defaultRoot, input.folder, ...names);
  }

  async function sourcesOf(input: BulkInput['input']): Promise<LineSource[]> {
    const uris = 'uri' in input ? [input.uri] : 'uris' in input ? input.uris : await listed(input.prefix);
    return uris.map((uri) => ({
      uri,
      open: () => untilCancelled(decompressed(storage.read(uri, { reuse: true }), uri)),
    }));
  }

  async function listed(prefix: string): Promise<string[]> {
    const uris: string[] = [];
    for await (const { uri } of storage.list(prefix)) uris.push(uri);
    if (uris.length === 0) throw invalidField('input.prefix', `no objects under ${prefix}`);
    return uris;
  }
}

/** `FAILED_PRECONDITION`: the run was ended before it did anything, and cannot be asked. */
const NEVER_RAN: number = 9;

/** The job that a run followed; null where there was none, or the run is gone. */
async function jobIdOf(workflowId: string): Promise<string | null> {
  try {
    return (await getClient().workflow.getHandle(workflowId).query<BatchProgress>('progress')).jobId;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    const cause: unknown = error instanceof Error ? error.cause : null;
    const code: number | null = isGrpcServiceError(cause) ? cause.code : null;
    if (code === NEVER_RAN) return null;
    throw error;
  }
}

function policyOf({ retry, schema }: BulkInput): AnswerPolicy {
  return {
    failed: retry.failed ? 'retry' : 'final',
    truncated: retry.truncated ? 'retry' : 'final',
    ...(schema && { accepts: fitsSchema(schema) }),
  };
}

/** The provider's limits, lowered by the spec, and by the budget: a part larger than that would never find room. */
function partLimits(limits: BatchLimits, { split, enqueuedTokens }: BulkInput): PartLimits {
  const budgets = typeof enqueuedTokens === 'number' ? [enqueuedTokens] : Object.values(enqueuedTokens ?? {});
  const tokens = Math.min(split.estimatedTokens ?? Infinity, ...budgets);
  return {
    requests: Math.min(limits.requests, split.requests ?? Infinity),
    bytes: Math.min(limits.bytes, split.bytes ?? Infinity),
    embeddingInputs: limits.embeddingInputs,
    lineBytes: limits.lineBytes,
    ...(tokens < Infinity && { estimatedTokens: tokens }),
  };
}

function tooManyParts(count: number): ApplicationFailure {
  return invalidField('input', `the input makes ${count} parts; one bulk batch takes at most ${MAX_PARTS}`);
}
