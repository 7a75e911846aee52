/** The results of a batch, collected into storage and accounted for line by line against its input. */
import type { BatchSnapshot } from '../jobs/batch-object.js';
import type { BatchResult } from '../jobs/batch.js';
import type { FileRef } from '../jobs/file-ref.js';
import type { Cancellation } from '../jobs/run-state.js';
import { collectResults } from '../jsonl/collect-results.js';
import { safeName } from '../storage/safe-name.js';
import { apiOf, type Api } from './api.js';
import type { CheckedInput } from './batch-input.js';
import { download } from './download.js';
import { withHeartbeat } from './heartbeat.js';
import type { Toolbox } from './toolbox.js';

export interface CollectBatchInput {
  readonly provider: string;
  readonly batch: BatchSnapshot;
  readonly input: CheckedInput;
  /** Where results land, as `<outputUri>/<batch id>/…`; null for the worker's default root. */
  readonly outputUri: string | null;
  readonly cancellation: Cancellation | null;
  readonly warnings: readonly string[];
}

/** The result, with whatever status the batch had: a stuck one has no end. */
export type CollectedBatch = Omit<BatchResult, 'status'> & { readonly status: string };

export function batchResultActivities(toolbox: Toolbox) {
  const { storage } = toolbox;
  return {
    /**
     * Downloads the output and error files, writes each line of the input exactly once to `output.jsonl` or `errors.jsonl`, and
     * writes the result itself beside them as `manifest.json`.
     */
    async collectBatchResults(input: CollectBatchInput): Promise<CollectedBatch> {
      const api = apiOf(toolbox, input.provider);
      const { batch } = input;
      const warnings = [...input.warnings];
      const place = (name: string) => storage.resolve(input.outputUri ?? storage.defaultRoot, safeName(batch.id), name);

      return withHeartbeat(async () => {
        const results = collectResults({
          input: await inputLines(api, input.input),
          output: await resultFile(api, batch.outputFileId, 'output', warnings),
          errors: await resultFile(api, batch.errorFileId, 'error', warnings),
        });
        const output = await keep(place('output.jsonl'), results.output);
        const errors = await keep(place('errors.jsonl'), results.errors);
        const { lines, anomalies, usage, model } = results.summary();
        const { timestamps } = batch;
        const result: CollectedBatch = {
          status: batch.status,
          batchId: batch.id,
          model: batch.model ?? model ?? input.input.model,
          requestCounts: batch.requestCounts,
          lines,
          anomalies,
          output,
          errors,
          usage,
          timestamps: {
            createdAt: timestamps.createdAt,
            inProgressAt: timestamps.inProgressAt,
            finalizingAt: timestamps.finalizingAt,
            endedAt:
              timestamps.completedAt ?? timestamps.expiredAt ?? timestamps.cancelledAt ?? timestamps.failedAt ?? null,
            expiresAt: timestamps.expiresAt,
          },
          cancellation: input.cancellation,
          warnings,
        };
        await storage.write(place('manifest.json'), text(`${JSON.stringify(result, null, 2)}\n`));
        return result;
      });
    },
  };

  /** The input once more, for its ids; null where it is at the provider and cannot be read back. */
  async function inputLines(api: Api, input: CheckedInput): Promise<AsyncIterable<Uint8Array> | null> {
    return input.file ? storage.read(input.file.uri) : input.requests === null ? null : download(api, input.fileId);
  }

  /** Writes a file of results; an empty one is not kept. */
  async function keep(uri: string, lines: AsyncIterable<Uint8Array | string>): Promise<FileRef | null> {
    const ref = await storage.write(uri, lines);
    if (ref.bytes > 0) return ref;
    await storage.delete(uri);
    return null;
  }
}

async function resultFile(api: Api, fileId: string | null, role: string, warnings: string[]) {
  if (fileId === null) return null;
  const content = await download(api, fileId);
  if (!content) warnings.push(`The provider no longer has the ${role} file ${fileId}; its lines count as missing`);
  return content;
}

async function* text(content: string): AsyncGenerator<string> {
  yield content;
}
