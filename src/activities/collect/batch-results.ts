/** The results of a batch, downloaded into storage and accounted for line by line against its input. */
import type { CheckedInput, CollectBatchInput, CollectedBatch } from '../../contract/activities/batch.js';
import type { BatchSnapshot } from '../../contract/snapshots.js';
import { collectResults, type CollectedResults, type ResultSources } from '../../results/collect.js';
import type { ResultsSummary } from '../../results/batch-account.js';
import { safeName } from '../../storage/safe-name.js';
import type { Storage } from '../../storage/storage.js';
import { openFile, openResultFile } from '../calls/open-file.js';
import type { ProviderApi } from '../calls/provider-api.js';

type OpenContent = () => AsyncIterable<Uint8Array>;

/** Temporary file of the lines without success, kept until it is known which of them count. */
const UNSUCCESSFUL_LINES = 'without-success.jsonl';

/**
 * What a request without a result counts as. A batch that ended early may omit the requests that it did not process.
 */
const WITHOUT_RESULT: Readonly<Record<string, 'batch_expired' | 'batch_cancelled'>> = {
  expired: 'batch_expired',
  cancelled: 'batch_cancelled',
};

/** Writes `output.jsonl`, `errors.jsonl` and `manifest.json` to `<outputUri>/<batch id>/`. */
export async function collectBatch(
  api: ProviderApi,
  storage: Storage,
  input: CollectBatchInput,
): Promise<CollectedBatch> {
  const { batch } = input;
  const warnings = [...input.warnings];
  const uriOf = (name: string) => storage.resolve(input.outputUri ?? storage.defaultRoot, safeName(batch.id), name);
  const sources: ResultSources = {
    input: await openInput(api, storage, input.input, batch.inputFileId, warnings),
    output: resultLines(api, batch.outputFileId, warnings),
    errors: resultLines(api, batch.errorFileId, warnings),
    withoutLine: WITHOUT_RESULT[batch.status] ?? 'missing',
  };
  const unsuccessfulUri = uriOf(UNSUCCESSFUL_LINES);
  const collected = await collectResults(sources, {
    writeOutput: (content) => storage.write(uriOf('output.jsonl'), content),
    writeErrors: (content) => storage.write(uriOf('errors.jsonl'), content),
    unsuccessful: {
      write: (content) => storage.write(unsuccessfulUri, content),
      read: () => storage.read(unsuccessfulUri, { reuse: true }),
    },
  });
  warnings.push(...anomalyWarnings(collected.summary));
  const result = toResult(input, collected, warnings);
  await storage.write(uriOf('manifest.json'), manifest(result));
  await storage.delete(unsuccessfulUri);
  return result;
}

function toResult(
  { batch, input, cancellation }: CollectBatchInput,
  { summary, output, errors }: CollectedResults,
  warnings: string[],
): CollectedBatch {
  const { lines, anomalies, usage, model } = summary;
  const { createdAt, inProgressAt, finalizingAt, expiresAt } = batch.timestamps;
  return {
    status: batch.status,
    batchId: batch.id,
    model: batch.model ?? model ?? input.model,
    requestCounts: batch.requestCounts,
    lines,
    anomalies,
    output,
    errors,
    usage,
    timestamps: { createdAt, inProgressAt, finalizingAt, endedAt: endOf(batch), expiresAt },
    cancellation,
    warnings,
  };
}

function endOf({ timestamps }: BatchSnapshot): number | null {
  const { completedAt, expiredAt, cancelledAt, failedAt } = timestamps;
  return completedAt ?? expiredAt ?? cancelledAt ?? failedAt;
}

/**
 * The input, read again for its ids; null if it cannot be read. A day may have passed since the upload: if storage no
 * longer has the file as it was, the provider's copy is used.
 */
async function openInput(
  api: ProviderApi,
  storage: Storage,
  input: CheckedInput,
  uploadedFileId: string | null,
  warnings: string[],
): Promise<OpenContent | null> {
  if (input.file) {
    const { uri, bytes } = input.file;
    if ((await storage.stat(uri))?.bytes === bytes) return () => storage.read(uri, { reuse: true });
    warnings.push(
      `${uri} was deleted or changed while the batch ran; the results are compared with the provider's copy of it`,
    );
  }
  const fileId = input.file ? uploadedFileId : input.fileId;
  if (fileId === null || input.requests === null) return null;
  const { content } = await openFile(api, fileId);
  if (content) return () => content;
  warnings.push('The input can no longer be read: requests without a result cannot be reported as missing');
  return null;
}

/**
 * A result file of the provider, opened when it is read; null if the batch has none. A deleted file counts as empty.
 */
function resultLines(api: ProviderApi, fileId: string | null, warnings: string[]): OpenContent | null {
  if (fileId === null) return null;
  return async function* () {
    const content = await openResultFile(api, fileId);
    if (content) yield* content;
    else warnings.push(`The provider no longer has the result file ${fileId}; its lines count as missing`);
  };
}

function anomalyWarnings({ examples, lines, anomalies }: ResultsSummary): string[] {
  return [
    lines.missing > 0 &&
      `Requests that are in neither of the provider's files: ${lines.missing}, such as ${quoted(examples.missing)}`,
    anomalies.duplicates > 0 &&
      `Duplicate result lines: ${anomalies.duplicates}, such as ${quoted(examples.duplicates)}; each request counts once`,
    anomalies.unknownIds > 0 &&
      `Result lines with a custom_id that is not in the input: ${anomalies.unknownIds}, such as ${quoted(examples.unknownIds)}`,
    anomalies.unreadable > 0 && `Unreadable lines in the provider's files: ${anomalies.unreadable}`,
  ].filter((warning) => warning !== false);
}

const quoted = (ids: readonly string[]): string => ids.map((id) => JSON.stringify(id)).join(', ');

async function* manifest(result: CollectedBatch): AsyncGenerator<string> {
  yield `${JSON.stringify(result, null, 2)}\n`;
}
