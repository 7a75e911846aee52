/**
 * The content of a file at the provider as one stream. A connection that breaks, or ends before the promised size, is
 * opened again where it stopped, or at the start if the provider does not support ranges.
 */
import { activityInfo, cancellationSignal, log, sleep } from '@temporalio/activity';
import type { ApplicationFailure } from '@temporalio/common';
import { fileObjectSchema } from '../../provider/objects/file.js';
import { errorWithoutReply, parseReply, type ApiError, type Reply } from '../../provider/reply.js';
import { resumingStream } from '../../storage/resuming-stream.js';
import { unlessForeign, type ResultFormat } from './foreign-content.js';
import type { ProviderApi } from './provider-api.js';

/**
 * From this attempt of the check of an input on, a file that always ends early counts as whole: its object names a size
 * that is too large.
 */
const ACCEPT_SHORT_FILE_FROM_ATTEMPT = 3;

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
 * @param onShort called for content that always ends early
 * @throws ApplicationFailure as the table of errors says
 */
export async function openFile(
  api: ProviderApi,
  fileId: string,
  onShort: OnShort = acceptedFromLaterAttempt,
): Promise<OpenedFile> {
  const { value: response, error } = await requestContent(api, fileId);
  if (!error) return { content: resumingContent(api, fileId, response, onShort) };
  const failure = api.failure('files.content', error);
  if (!failure.nonRetryable || error.status === 401) throw failure;
  return { refusal: error };
}

/** What is wrong with a result file at the moment. All of it may pass: the file may be published late. */
export interface ResultFileLack {
  readonly fileId: string;
  /** A phrase. */
  readonly reason: string;
  /** The refusal, if the provider refused the content. */
  readonly refusal: ApiError | null;
}

/** Statuses with which providers answer for a file that is not there yet, or no longer there. */
const NOT_AVAILABLE: ReadonlySet<number | null> = new Set([400, 403, 404, 410]);

/**
 * Opens a result file of a job; null if there is nothing to read. Whatever is wrong with the file is reported, and may
 * be found only at the end of its content.
 *
 * @throws ApplicationFailure as the table of errors says, for all other errors
 */
export async function openResultFile(
  api: ProviderApi,
  fileId: string,
  format: ResultFormat,
  report: (lack: ResultFileLack) => void,
): Promise<AsyncGenerator<Uint8Array> | null> {
  const { value: response, error } = await requestContent(api, fileId);
  if (error) {
    if (!NOT_AVAILABLE.has(error.status)) throw api.failure('files.content', error);
    const reason = `the content of ${fileId} was refused with HTTP ${error.status}: ${error.message}`;
    report({ fileId, reason, refusal: error });
    return null;
  }
  const reportForeign = (what: string) =>
    report({ fileId, reason: `the content of ${fileId} is ${what}`, refusal: null });
  if (isHtml(response)) {
    await response.body?.cancel();
    reportForeign('an HTML page');
    return null;
  }
  const content = resumingContent(api, fileId, response, (offset, end) =>
    report({ fileId, reason: `${fileId} ended after ${offset} of ${end ?? 'unknown'} bytes`, refusal: null }),
  );
  return unlessForeign(content, format, reportForeign);
}

function isHtml({ headers }: Response): boolean {
  return /^text\/html\b/i.test(headers.get('content-type') ?? '');
}

/** Called for content that always ends early. It throws, or returns to end the stream there. */
export type OnShort = (offset: number, end: number | null, cutOff: ApplicationFailure) => void;

const acceptedFromLaterAttempt: OnShort = (_offset, _end, cutOff) => {
  if (activityInfo().attempt < ACCEPT_SHORT_FILE_FROM_ATTEMPT) throw cutOff;
};

async function* resumingContent(
  api: ProviderApi,
  fileId: string,
  first: Response,
  onShort: OnShort,
): AsyncGenerator<Uint8Array> {
  // Without a content length, only the size that the file's object names distinguishes a silent cut from the end.
  const length = contentLengthOf(first);
  const end = length ?? (await sizeOf(api, fileId));
  const version = { ...versionOf(first), sizeOfObject: length === null ? end : null };
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
      const { value: response, error } = await requestContent(api, fileId, offset, version);
      if (!error) {
        if (!isHtml(response) && isSameVersion(version, versionOf(response))) return contentFrom(response, offset);
        await response.body?.cancel();
        throw api.failure('files.content', errorWithoutReply(`${fileId} changed during the download`, 'file_changed'));
      }
      // Nothing follows: the file is shorter than its object says.
      if (error.status === 416) {
        onShort(offset, end, cutOff(offset));
        return null;
      }
      const failure = api.failure('files.content', error);
      // A file that is gone by now was not read completely. The next attempt reports why.
      throw failure.nonRetryable ? cutOff(offset) : failure;
    },
    onInterruption: ({ error, offset }) => {
      if (error && cancellationSignal().aborted) throw error.thrown;
      log.warn('A download was interrupted; resuming it', { fileId, received: offset, expected: end });
    },
    onGivingUp: ({ error, offset }) => {
      if (error) throw cutOff(offset);
      onShort(offset, end, cutOff(offset));
    },
    pause: (emptyConnections) => sleep(Math.min(FIRST_PAUSE_MS * 2 ** emptyConnections, MAX_PAUSE_MS)),
  });
}

/** What tells one version of a file from another. A field is null where the provider does not send it. */
interface FileVersion {
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** Bytes of the whole file. */
  readonly size: number | null;
}

function versionOf(response: Response): FileVersion {
  const { headers, status } = response;
  const total = /\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1];
  return {
    etag: headers.get('etag'),
    lastModified: headers.get('last-modified'),
    size: status === 206 ? (total === undefined ? null : Number(total)) : contentLengthOf(response),
  };
}

/**
 * Whether both replies are of one version: something that both of them say is equal, and nothing differs. A size that
 * only the file's object names decides where the replies themselves say nothing, since it may be wrong.
 */
function isSameVersion(first: FileVersion & { readonly sizeOfObject: number | null }, other: FileVersion): boolean {
  const said = [
    [withoutWeakMark(first.etag), withoutWeakMark(other.etag)],
    [first.lastModified, other.lastModified],
    [first.size, other.size],
  ].filter(([one, another]) => one !== null && another !== null);
  if (said.length === 0) return other.size !== null && other.size === first.sizeOfObject;
  return said.every(([one, another]) => one === another);
}

/** Proxies that compress mark the same tag as weak. */
const withoutWeakMark = (etag: string | null): string | null => etag?.replace(/^W\//, '') ?? null;

/** Requests the content; from an offset on, only if it is still of the same version, as far as the provider checks. */
function requestContent(
  api: ProviderApi,
  fileId: string,
  offset = 0,
  version: Pick<FileVersion, 'etag' | 'lastModified'> | null = null,
): Promise<Reply<Response>> {
  // HTTP does not allow a weak tag there.
  const ifRange = version?.etag?.startsWith('W/') === false ? version.etag : (version?.lastModified ?? null);
  return api.attempt('files.content', (client) =>
    client.files.content(fileId, {
      ...(offset > 0 && { headers: { range: `bytes=${offset}-`, ...(ifRange !== null && { 'if-range': ifRange }) } }),
    }),
  );
}

/** The size in bytes that the file's object names; null if it names none. */
async function sizeOf(api: ProviderApi, fileId: string): Promise<number | null> {
  const file = parseReply(
    fileObjectSchema,
    await api.attempt('files.retrieve', (client) => client.files.retrieve(fileId)),
  );
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
