/** The results of a batch, collected into storage and accounted for line by line against its input. */
import type { CheckedInput, CollectBatchInput, CollectedBatch } from '../contract/activities/batch.js';
import { collectResults } from '../results/collect.js';
import type { ResultsSummary } from '../results/batch-account.js';
import { safeName } from '../storage/safe-name.js';
import { providerApi, type ProviderApi } from './calls/provider-api.js';
import { openFile, openResultFile } from './calls/open-file.js';
import { withHeartbeat } from './runtime/heartbeat.js';
import type { ActivityContext } from './runtime/context.js';

export function batchResultActivities(toolbox: ActivityContext) {
  const { storage } = toolbox;
  return {
    /**
     * Downloads the output and error files, writes each line of the input exactly once to `output.jsonl` or `errors.jsonl`, and
     * writes the result itself beside them as `manifest.json`.
     */
    async collectBatchResults(input: CollectBatchInput): Promise<CollectedBatch> {
      const api = providerApi(toolbox, input.provider);
      const { batch } = input;
      const warnings = [...input.warnings];
      const place = (name: string) => storage.resolve(input.outputUri ?? storage.defaultRoot, safeName(batch.id), name);

      return withHeartbeat(async () => {
        const aside = place(ASIDE);
        const { summary, output, errors } = await collectResults(
          {
            input: await inputLines(api, input.input, batch.inputFileId, warnings),
            output: resultLines(api, batch.outputFileId, warnings),
            errors: resultLines(api, batch.errorFileId, warnings),
            withoutLine: ABSENT[batch.status] ?? 'missing',
          },
          {
            writeOutput: (content) => storage.write(place('output.jsonl'), content),
            writeErrors: (content) => storage.write(place('errors.jsonl'), content),
            unsuccessful: {
              write: (content) => storage.write(aside, content),
              read: () => storage.read(aside, { reuse: true }),
            },
          },
        );
        const { lines, anomalies, usage, model } = summary;
        warnings.push(...oddities(summary));
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
        await storage.delete(aside);
        return result;
      });
    },
  };

  /**
   * The input once more, for its ids; null where it cannot be read back. A day may have passed since it was uploaded: where storage
   * no longer has it as it was, the provider's copy stands in.
   */
  async function inputLines(
    api: ProviderApi,
    input: CheckedInput,
    fileId: string | null,
    warnings: string[],
  ): Promise<(() => AsyncIterable<Uint8Array>) | null> {
    if (input.file) {
      const { uri, bytes } = input.file;
      if ((await storage.stat(uri))?.bytes === bytes) return () => storage.read(uri, { reuse: true });
      warnings.push(
        `${uri} is gone or was changed while the batch ran; the provider's copy is what the results account for`,
      );
    }
    const source = input.file ? fileId : input.fileId;
    if (source === null || input.requests === null) return null;
    const { content } = await openFile(api, source);
    if (content) return () => content;
    warnings.push('The input cannot be read any more: requests without a result do not show as missing');
    return null;
  }
}

/** A result file of the provider, opened when it is read; null where there is none. One that is gone counts as empty. */
function resultLines(
  api: ProviderApi,
  fileId: string | null,
  warnings: string[],
): (() => AsyncIterable<Uint8Array>) | null {
  if (fileId === null) return null;
  return async function* () {
    const content = await openResultFile(api, fileId);
    if (content) yield* content;
    else warnings.push(`The provider no longer has the result file ${fileId}; its lines count as missing`);
  };
}

/** A batch that ended early need not mention what it did not get to. */
const ABSENT: Readonly<Record<string, 'batch_expired' | 'batch_cancelled'>> = {
  expired: 'batch_expired',
  cancelled: 'batch_cancelled',
};

/** The lines without success, until it is known which of them count. */
const ASIDE = 'without-success.jsonl';

const told = (ids: readonly string[]): string => ids.map((id) => JSON.stringify(id)).join(', ');

/** What a person should know of files that do not add up. */
function oddities({ examples, lines, anomalies }: ResultsSummary): string[] {
  return [
    lines.missing > 0 &&
      `${lines.missing} requests are in neither of the provider's files, such as ${told(examples.missing)}`,
    anomalies.duplicates > 0 &&
      `${anomalies.duplicates} results came twice, such as ${told(examples.duplicates)}; each counts once`,
    anomalies.unknownIds > 0 &&
      `${anomalies.unknownIds} results answer no request of the input, such as ${told(examples.unknownIds)}`,
    anomalies.unreadable > 0 && `${anomalies.unreadable} lines of the provider's files cannot be read`,
  ].filter((warning) => warning !== false);
}

async function* text(content: string): AsyncGenerator<string> {
  yield content;
}
