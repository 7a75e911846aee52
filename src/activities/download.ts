/**
 * Downloads that survive a cut: the content of a file at the provider as one unbroken stream. A connection that breaks, or ends
 * before the promised size, is opened again where it stopped (or at the start, where the provider knows no ranges).
 */
import { cancellationSignal, log, sleep } from '@temporalio/activity';
import { fileObjectSchema } from '../jobs/fine-tuning-object.js';
import { REQUEST_TIMEOUT_MS, type Api } from './api.js';

/** Connections in a row that bring not one byte before the activity gives up and leaves the retry to Temporal. */
const MAX_BARREN = 5;

/**
 * The file's bytes, or null where the provider does not have it (any more) or does not give it out.
 *
 * @throws ApplicationFailure as the table of errors says
 */
export async function download(api: Api, fileId: string): Promise<AsyncGenerator<Uint8Array> | null> {
  const first = await open(api, fileId, 0);
  if (!first) return null;
  const known = await expectedBytes(api, fileId);
  return unbroken(api, fileId, first, known);
}

async function* unbroken(api: Api, fileId: string, first: Response, known: number | null): AsyncGenerator<Uint8Array> {
  let response: Response | null = first;
  let received = 0;
  let barren = 0;
  let expected = known ?? lengthOf(first);
  while (response) {
    const before = received;
    let skip = response.status === 206 ? 0 : received;
    try {
      for await (const chunk of response.body ?? []) {
        const fresh = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - fresh.length;
        if (fresh.length === 0) continue;
        received += fresh.length;
        yield fresh;
      }
      if (expected === null || received >= expected) return;
    } catch (error) {
      if (cancellationSignal().aborted) throw error;
    }
    barren = received > before ? 0 : barren + 1;
    log.warn('A download broke off and goes on', { fileId, received, expected });
    if (barren >= MAX_BARREN) {
      throw api.failure('files.content', {
        status: null,
        code: 'download_cut',
        type: null,
        param: null,
        message: `the download of ${fileId} ended at ${received} of ${expected ?? 'unknown'} bytes`,
        requestId: null,
        retryAfterMs: null,
        shouldRetry: null,
      });
    }
    await sleep(Math.min(500 * 2 ** barren, 10_000));
    response = await open(api, fileId, received);
    expected ??= response && response.status === 200 ? lengthOf(response) : null;
  }
}

/** Opens the content from an offset; null for a file that is gone or not given out. */
async function open(api: Api, fileId: string, start: number): Promise<Response | null> {
  const { value, error } = await api.attempt((client) =>
    client.files.content(fileId, {
      signal: cancellationSignal(),
      timeout: REQUEST_TIMEOUT_MS,
      ...(start > 0 && { headers: { range: `bytes=${start}-` } }),
    }),
  );
  if (!error) return value;
  const failure = api.failure('files.content', error);
  if (failure.nonRetryable && error.status !== 401) return null;
  throw failure;
}

/** The size that the file's object names: a cut without a content length would pass for the end otherwise. */
async function expectedBytes(api: Api, fileId: string): Promise<number | null> {
  const { value } = await api.attempt((client) => client.files.retrieve(fileId, { timeout: REQUEST_TIMEOUT_MS }));
  const reading = fileObjectSchema.safeParse(value);
  return reading.success ? reading.data.bytes : null;
}

function lengthOf(response: Response): number | null {
  const length = response.headers.get('content-length');
  return length === null || response.headers.has('content-encoding') ? null : Number(length);
}
