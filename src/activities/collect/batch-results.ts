/** The results of a batch, downloaded into storage and accounted for line by line against its input. */
import { randomUUID } from 'node:crypto';
import { cancellationSignal, log } from '@temporalio/activity';
import type {
  CheckedInput,
  CollectBatchInput,
  CollectedBatch,
  CollectedBatchFiles,
} from '../../contract/activities/batch.js';
import { endedAt, type BatchSnapshot } from '../../contract/snapshots.js';
import { BATCHES } from '../../provider/job-kinds.js';
import { collectResults, type CollectedResults, type EndedEarly, type ResultSources } from '../../results/collect.js';
import type { ResultsSummary } from '../../results/batch-account.js';
import { withCountsOf } from '../../results/usage.js';
import { isUnchanged } from '../../storage/checked-file.js';
import type { Storage } from '../../storage/storage.js';
import { openFile, openResultFile, type ResultFileLack } from '../calls/open-file.js';
import type { ProviderApi } from '../calls/provider-api.js';
import { resultUri } from '../calls/results-location.js';
import { withHeartbeat } from '../runtime/heartbeat.js';
import { accountOf, hasNoFile, readAgain, type BatchAccounting } from './batch-accounting.js';
import { type Lack, Settling } from './settling.js';

type OpenContent = () => AsyncIterable<Uint8Array>;

/** Beginning of the names of temporary files. */
const UNSUCCESSFUL = 'without-success-';

/** The ends of a batch that may leave requests unprocessed, with the code that such requests get. */
const EARLY_ENDS: Readonly<Record<string, EndedEarly['code']>> = {
  expired: 'batch_expired',
  cancelled: 'batch_cancelled',
  failed: 'batch_failed',
};

/** How long the provider's copy of the input is waited for: it tells which requests are missing, and nothing else. */
const WAIT_FOR_INPUT_MS = 30_000;

/**
 * Writes `output.jsonl`, `errors.jsonl` and `manifest.json` to `<outputUri>/<batch id>/`.
 *
 * @throws ApplicationFailure `NotSettled` while the results do not account for what the provider counts
 */
export async function collectBatch(
  api: ProviderApi,
  storage: Storage,
  input: CollectBatchInput,
): Promise<CollectedBatchFiles> {
  const settling = new Settling(input.settleForMs);
  return withHeartbeat(async () => {
    const mayBeIncomplete = settling.hasBegun || hasNoFile(input.batch);
    const batch = mayBeIncomplete ? await readAgain(api, input.batch) : input.batch;
    return collect(api, storage, { ...input, batch }, settling);
  }, settling.details);
}

async function collect(
  api: ProviderApi,
  storage: Storage,
  input: CollectBatchInput,
  settling: Settling,
): Promise<CollectedBatchFiles> {
  const { batch } = input;
  const warnings = [...input.warnings];
  const files: ResultFileLack[] = [];
  const inputLacks: Lack[] = [];
  const uriOf = (name: string) => resultUri(storage, input.outputUri, batch.id, name);
  const code = EARLY_ENDS[batch.status];
  const sources: ResultSources = {
    input: await openInput(api, storage, input.input, batch.inputFileId, { warnings, lacks: inputLacks }),
    output: resultLines(api, batch.outputFileId, files),
    errors: resultLines(api, batch.errorFileId, files),
    ...(code && { endedEarly: { code, completed: batch.requestCounts.completed } }),
  };
  // Kept until it is known which of the lines without success count. A stalled attempt may still be running, so
  // every attempt writes its own file.
  const unsuccessfulUri = uriOf(`${UNSUCCESSFUL}${randomUUID()}.jsonl`);
  const unlessOvertaken = await overtakingCheck(storage, uriOf('manifest.json'));
  const write = (name: string, content: AsyncIterable<Uint8Array | string>) =>
    storage.write(uriOf(name), unlessOvertaken(content));
  try {
    const collected = await collectResults(sources, {
      writeOutput: (content) => write('output.jsonl', content),
      writeErrors: (content) => write('errors.jsonl', content),
      writeUnreadable: (content) => write('unreadable.jsonl', content),
      unsuccessful: {
        write: (content) => storage.write(unsuccessfulUri, content),
        read: () => storage.read(unsuccessfulUri, { reuse: true }),
      },
    });
    const account = accountOf(batch, collected.summary, { files, isInputKnown: sources.input !== null });
    settling.mustWaitFor([...account.lacks, ...inputLacks], batch.id);
    assertNothingIsWithheld(api, batch, account, files);
    if (account.lacks.length > 0) {
      const reasons = account.lacks.map(({ reason }) => reason);
      warnings.push(`The provider's results are incomplete: ${reasons.join('; ')}`);
    }
    warnings.push(...inputLacks.map(({ reason }) => reason), ...anomalyWarnings(collected.summary));
    const result = toResult(input, collected, warnings, account.lacks.length === 0);
    if (settling.hasBegun) await deleteOutdated(storage, uriOf, result);
    await write('manifest.json', manifest(result));
    await deleteLeftovers(storage, unsuccessfulUri);
    const fileIds = [batch.outputFileId, batch.errorFileId].filter((fileId) => fileId !== null);
    return { result, readWhole: account.isReadWhole && inputLacks.length === 0 ? fileIds : [] };
  } finally {
    await storage.delete(unsuccessfulUri);
  }
}

/**
 * A file that is refused with 403 exists, so the answers in it are not given up: the run shows the refusal until it is
 * mended. What a batch has that did not end is collected as far as it is given.
 *
 * @throws ApplicationFailure with the refusal
 */
function assertNothingIsWithheld(
  api: ProviderApi,
  { status }: BatchSnapshot,
  { lacks }: BatchAccounting,
  files: readonly ResultFileLack[],
): void {
  const refusal = files.find((lack) => lack.refusal?.status === 403)?.refusal;
  if (refusal && lacks.length > 0 && BATCHES.statuses.isEnd(status)) throw api.failure('files.content', refusal);
}

/**
 * Makes a function that passes content on, and throws at its end if the attempt was cancelled, or another one has written
 * the manifest since the start. The file is not written then: an attempt that stalled, and that may have read less, must
 * not replace the files of its successor.
 */
async function overtakingCheck(storage: Storage, manifestUri: string) {
  const before = await storage.stat(manifestUri);
  return async function* <T>(content: AsyncIterable<T>): AsyncGenerator<T> {
    yield* content;
    cancellationSignal().throwIfAborted();
    const now = await storage.stat(manifestUri);
    if (now?.bytes !== before?.bytes || now?.modifiedAt !== before?.modifiedAt) {
      throw new Error('another attempt has collected the results in the meantime');
    }
  };
}

/** Deletes what an earlier attempt wrote, and what the final result does not have. */
async function deleteOutdated(
  storage: Storage,
  uriOf: (name: string) => string,
  result: CollectedBatch,
): Promise<void> {
  for (const name of ['output', 'errors', 'unreadable'] as const) {
    if (result[name] === null) await storage.delete(uriOf(`${name}.jsonl`));
  }
}

/** Deletes what attempts of killed workers left. It is of no use, but harmless: a storage that does not list keeps it. */
async function deleteLeftovers(storage: Storage, unsuccessfulUri: string): Promise<void> {
  const folder = new URL('.', unsuccessfulUri).href;
  try {
    for await (const { uri } of storage.list(folder)) {
      if (uri.startsWith(`${folder}${UNSUCCESSFUL}`)) await storage.delete(uri);
    }
  } catch (error) {
    log.warn('Could not delete what earlier attempts left', { folder, error: String(error) });
  }
}

function toResult(
  { batch, input, cancellation }: CollectBatchInput,
  { summary, output, errors, unreadable }: CollectedResults,
  warnings: string[],
  isSettled: boolean,
): CollectedBatch {
  const { lines, anomalies, model } = summary;
  const { createdAt, inProgressAt, finalizingAt, expiresAt } = batch.timestamps;
  return {
    status: batch.status,
    batchId: batch.id,
    model: batch.model ?? model ?? input.model,
    requestCounts: batch.requestCounts,
    isSettled,
    lines,
    anomalies,
    output,
    errors,
    unreadable,
    usage: withCountsOf(summary.usage, batch.usage),
    timestamps: { createdAt, inProgressAt, finalizingAt, endedAt: endedAt(batch), expiresAt },
    cancellation,
    warnings,
  };
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
  { warnings, lacks }: { readonly warnings: string[]; readonly lacks: Lack[] },
): Promise<OpenContent | null> {
  if (input.file) {
    const { uri } = input.file;
    if (await isUnchanged(storage, input.file)) return () => storage.read(uri, { reuse: true });
    warnings.push(
      `${uri} was deleted or changed while the batch ran; the results are compared with the provider's copy of it`,
    );
  }
  const fileId = input.file ? uploadedFileId : input.fileId;
  if (fileId === null || input.requests === null) return null;
  const lack = (reason: string) => lacks.push({ key: 'input', reason, forMs: WAIT_FOR_INPUT_MS });
  const { content } = await openFile(api, fileId, (offset, end) =>
    lack(`The provider's copy of the input ended after ${offset} of ${end} bytes; the results are compared with that`),
  );
  if (content) return () => content;
  lack('The input can no longer be read: requests without a result cannot be reported as missing');
  return null;
}

/** A result file of the provider, opened when it is read; null if the batch has none. */
function resultLines(api: ProviderApi, fileId: string | null, lacks: ResultFileLack[]): OpenContent | null {
  if (fileId === null) return null;
  return async function* () {
    const content = await openResultFile(api, fileId, 'jsonl', (lack) => lacks.push(lack));
    if (content) yield* content;
  };
}

function anomalyWarnings({ examples, lines, anomalies }: ResultsSummary): string[] {
  return [
    lines.missing > 0 &&
      `Requests that are in neither of the provider's files: ${lines.missing}, such as ${quoted(examples.missing)}`,
    anomalies.duplicates > 0 &&
      `Duplicate result lines: ${anomalies.duplicates}, such as ${quoted(examples.duplicates)}; each request counts once`,
    anomalies.unknownIds > 0 &&
      `Result lines with a custom_id that is not in the input: ${anomalies.unknownIds}, such as ${quoted(examples.unknownIds)}; they are in unreadable.jsonl`,
    anomalies.unreadable > 0 &&
      `Unreadable lines in the provider's files: ${anomalies.unreadable}; they are in unreadable.jsonl`,
  ].filter((warning) => warning !== false);
}

const quoted = (ids: readonly string[]): string => ids.map((id) => JSON.stringify(id)).join(', ');

async function* manifest(result: CollectedBatch): AsyncGenerator<string> {
  yield `${JSON.stringify(result, null, 2)}\n`;
}
