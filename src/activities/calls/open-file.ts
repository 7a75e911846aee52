/**
 * Downloads that survive a cut: the content of a file at the provider as one unbroken stream. A connection that breaks, or ends
 * before the promised size, is opened again where it stopped (or at the start, where the provider knows no ranges).
 */
import { activityInfo, cancellationSignal, log, sleep } from '@temporalio/activity';
import type { ApiError } from '../../provider/error-table.js';
import { fileObjectSchema } from '../../provider/objects/file.js';
import type { ProviderApi } from './provider-api.js';

/** Connections in a row that bring not one byte before the activity gives up and leaves the retry to Temporal. */
const MAX_EMPTY_CONNECTIONS = 5;

/** The activity's attempt from which on a file is believed to be as long as it always turns out, whatever its object says. */
const BELIEVED_ATTEMPT = 3;

/** What is said of a file that is no more. */
const GONE: ReadonlySet<number> = new Set([400, 404, 410]);

/** The file's bytes, or in whose words the provider has none. */
export type OpenedFile =
  | { readonly content: AsyncGenerator<Uint8Array>; readonly refusal?: undefined }
  | { readonly content?: undefined; readonly refusal: ApiError };

/**
 * Opens a file's content; a `refusal` where the provider does not have it (any more) or does not give it out.
 *
 * @throws ApplicationFailure as the table of errors says
 */
export async function openFile(api: ProviderApi, fileId: string): Promise<OpenedFile> {
  const { value: first, error } = await open(api, fileId, 0);
  if (!error) return { content: resumingContent(api, fileId, first) };
  const failure = api.failure('files.content', error);
  if (!failure.nonRetryable || error.status === 401) throw failure;
  return { refusal: error };
}

/** A result file of a job: its content, or null where the provider no longer has it. Other refusals are failures: it is still there. */
export async function openResultFile(api: ProviderApi, fileId: string): Promise<AsyncGenerator<Uint8Array> | null> {
  const { content, refusal } = await openFile(api, fileId);
  if (content) return content;
  if (refusal.status !== null && GONE.has(refusal.status)) return null;
  throw api.failure('files.content', refusal);
}

async function* resumingContent(api: ProviderApi, fileId: string, first: Response): AsyncGenerator<Uint8Array> {
  // Who reads without a content length has only the file's object to tell a silent cut from the end.
  const expected = lengthOf(first) ?? (await bytesOf(api, fileId));
  let response = first;
  let received = 0;
  let barren = 0;
  for (;;) {
    const before = received;
    let skip = received - startOf(response, received);
    if (skip < 0) throw api.failure('files.content', cutAt(fileId, received, expected));
    let endsCleanly = false;
    try {
      for await (const chunk of response.body ?? []) {
        const fresh = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - fresh.length;
        if (fresh.length === 0) continue;
        received += fresh.length;
        yield fresh;
      }
      if (expected === null || received >= expected) return;
      endsCleanly = true;
    } catch (error) {
      if (cancellationSignal().aborted) throw error;
    }
    barren = received > before ? 0 : barren + 1;
    log.warn('A download broke off and goes on', { fileId, received, expected });
    if (barren >= MAX_EMPTY_CONNECTIONS) {
      if (endsCleanly && activityInfo().attempt >= BELIEVED_ATTEMPT) return;
      throw api.failure('files.content', cutAt(fileId, received, expected));
    }
    await sleep(Math.min(500 * 2 ** barren, 10_000));
    const again = await open(api, fileId, received);
    // There is nothing from here on: the file is shorter than its object says.
    if (again.error?.status === 416) return;
    if (again.error) {
      const failure = api.failure('files.content', again.error);
      // A file that is gone now was not read whole; a new attempt sees how it stands.
      throw failure.nonRetryable ? api.failure('files.content', cutAt(fileId, received, expected)) : failure;
    }
    response = again.value;
  }
}

/** Opens the content from an offset. */
function open(api: ProviderApi, fileId: string, start: number) {
  return api.attempt((client) =>
    client.files.content(fileId, {
      // One of its own, which goes with the request: the SDK leaves its listeners on the signal that it is given.
      signal: AbortSignal.any([cancellationSignal()]),
      ...(start > 0 && { headers: { range: `bytes=${start}-` } }),
    }),
  );
}

/** The size that the file's object names. */
async function bytesOf(api: ProviderApi, fileId: string): Promise<number | null> {
  const { value } = await api.attempt((client) => client.files.retrieve(fileId));
  const reading = fileObjectSchema.safeParse(value);
  return reading.success ? reading.data.bytes : null;
}

function lengthOf(response: Response): number | null {
  const length = response.headers.get('content-length');
  return length === null || response.headers.has('content-encoding') ? null : Number(length);
}

/** Where the content begins: a provider that knows no ranges sends it all again. */
function startOf(response: Response, asked: number): number {
  if (response.status !== 206) return 0;
  return Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? asked);
}

function cutAt(fileId: string, received: number, expected: number | null): ApiError {
  return {
    status: null,
    code: 'download_cut',
    type: null,
    param: null,
    message: `the download of ${fileId} ended at ${received} of ${expected ?? 'unknown'} bytes`,
    requestId: null,
    retryAfterMs: null,
    shouldRetry: null,
  };
}
