/**
 * The content of a file at the provider as one stream. A connection that breaks, or ends before the promised size, is
 * opened again where it stopped, or at the start if the provider does not support ranges.
 */
import { activityInfo, cancellationSignal, log, sleep } from '@temporalio/activity';
import { fileObjectSchema } from '../../provider/objects/file.js';
import { errorWithoutReply, parseReply, type ApiError, type Reply } from '../../provider/reply.js';
import { resumingStream } from '../../storage/resuming-stream.js';
import type { ProviderApi } from './provider-api.js';

/**
 * From this attempt of the activity on, a file that always ends early counts as whole: its object names a size that is
 * too large.
 */
const ACCEPT_SHORT_FILE_FROM_ATTEMPT = 3;

/** Statuses with which providers say that a file no longer exists. */
const FILE_GONE: ReadonlySet<number> = new Set([400, 404, 410]);

const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 10_000;

/** The content, or the error with which the provider refused it. */
export type OpenedFile =
  | { readonly content: AsyncGenerator<Uint8Array>; readonly refusal?: undefined }
  | { readonly content?: undefined; readonly refusal: ApiError };

/**
 * Opens a file. The result is a `refusal` if the provider does not have the file, no longer has it, or does not give it
 * out.
 *
 * @throws ApplicationFailure as the table of errors says
 */
export async function openFile(api: ProviderApi, fileId: string): Promise<OpenedFile> {
  const { value: response, error } = await requestContent(api, fileId, 0);
  if (!error) return { content: resumingContent(api, fileId, response) };
  const failure = api.failure('files.content', error);
  if (!failure.nonRetryable || error.status === 401) throw failure;
  return { refusal: error };
}

/**
 * Opens a result file of a job; null if the provider no longer has it. Any other refusal is thrown, since the file
 * still exists.
 */
export async function openResultFile(api: ProviderApi, fileId: string): Promise<AsyncGenerator<Uint8Array> | null> {
  const { content, refusal } = await openFile(api, fileId);
  if (content) return content;
  if (refusal.status !== null && FILE_GONE.has(refusal.status)) return null;
  throw api.failure('files.content', refusal);
}

async function* resumingContent(api: ProviderApi, fileId: string, first: Response): AsyncGenerator<Uint8Array> {
  // Without a content length, only the size that the file's object names distinguishes a silent cut from the end.
  const end = contentLengthOf(first) ?? (await sizeOf(api, fileId));
  const cutOff = (offset: number) => api.failure('files.content', cutOffError(fileId, offset, end));
  const contentFrom = (response: Response, offset: number) => {
    const skip = offset - startOf(response, offset);
    if (skip < 0) throw cutOff(offset);
    return withoutFirstBytes(response, skip);
  };
  yield* resumingStream({
    first: contentFrom(first, 0),
    end,
    reopen: async (offset) => {
      const { value: response, error } = await requestContent(api, fileId, offset);
      if (!error) return contentFrom(response, offset);
      // Nothing follows: the file is shorter than its object says.
      if (error.status === 416) return null;
      const failure = api.failure('files.content', error);
      // A file that is gone by now was not read completely. The next attempt reports why.
      throw failure.nonRetryable ? cutOff(offset) : failure;
    },
    onInterruption: ({ error, offset }) => {
      if (error && cancellationSignal().aborted) throw error.thrown;
      log.warn('A download was interrupted; resuming it', { fileId, received: offset, expected: end });
    },
    onGivingUp: ({ error, offset }) => {
      if (error || activityInfo().attempt < ACCEPT_SHORT_FILE_FROM_ATTEMPT) throw cutOff(offset);
    },
    pause: (emptyConnections) => sleep(Math.min(FIRST_PAUSE_MS * 2 ** emptyConnections, MAX_PAUSE_MS)),
  });
}

/** Requests the content from an offset on. */
function requestContent(api: ProviderApi, fileId: string, offset: number): Promise<Reply<Response>> {
  return api.attempt((client) =>
    client.files.content(fileId, {
      // A fresh signal for each request: the SDK never removes its listeners from the signal that it is given.
      signal: AbortSignal.any([cancellationSignal()]),
      ...(offset > 0 && { headers: { range: `bytes=${offset}-` } }),
    }),
  );
}

/** The size in bytes that the file's object names; null if it names none. */
async function sizeOf(api: ProviderApi, fileId: string): Promise<number | null> {
  const file = parseReply(fileObjectSchema, await api.attempt((client) => client.files.retrieve(fileId)));
  return file.value?.bytes ?? null;
}

function contentLengthOf(response: Response): number | null {
  const length = response.headers.get('content-length');
  return length === null || response.headers.has('content-encoding') ? null : Number(length);
}

/** The offset at which the content of a reply begins: 0 if the provider ignored the requested range. */
function startOf(response: Response, requested: number): number {
  if (response.status !== 206) return 0;
  return Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? requested);
}

async function* withoutFirstBytes(response: Response, count: number): AsyncGenerator<Uint8Array> {
  let skip = count;
  for await (const chunk of response.body ?? []) {
    const rest = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}

function cutOffError(fileId: string, received: number, expected: number | null): ApiError {
  const message = `the download of ${fileId} ended after ${received} of ${expected ?? 'unknown'} bytes`;
  return errorWithoutReply(message, 'download_cut');
}
