/**
 * The `fetch` of every client: what a provider, or whoever answers in its place, must not be able to do. Credentials
 * never follow a redirect to another origin, replies that are not files are bounded in size and time, and a request that
 * only reads ends with the activity that made it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { asErrorBody } from './error-body.js';
import { linkedSignal } from './linked-signal.js';

type Fetch = typeof globalThis.fetch;

/** Largest reply that is not a file, in bytes after decompression. A full page of 10,000 files has some four million. */
const MAX_REPLY_BYTES = 64 * 1024 * 1024;
/** Of an error reply only the start is read: its status says most. */
const MAX_ERROR_BYTES = 1024 * 1024;
/** A download without any data for this long is broken off; it is then resumed where it stopped. */
const MAX_SILENCE_MS = 60_000;
const MAX_REDIRECTS = 5;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Redirects that repeat the request as it was, with its method and body. */
const REPEATING: ReadonlySet<number> = new Set([307, 308]);
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);
/** The headers that a request for a file keeps when it leaves the origin. None of them is a credential. */
const HARMLESS_HEADERS = ['accept', 'range', 'if-range', 'if-match', 'user-agent'];

/** A reply that arrived but cannot be used. Its code says why. */
export class UnusableReply extends Error {
  override readonly name = 'UnusableReply';
  readonly code: 'unreadable_reply' | 'reply_too_large' | 'download_stalled';

  constructor(code: UnusableReply['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** A request that ended with the activity that made it. It says nothing about the API. */
export class RequestAbandoned extends Error {
  override readonly name = 'RequestAbandoned';
}

/** Called with each reply, before its body is read. */
export type OnReply = (reply: Pick<Response, 'status' | 'headers'>) => void;

const callers = new AsyncLocalStorage<{ readonly signal: AbortSignal; readonly onReply: OnReply | undefined }>();

/**
 * Runs calls whose requests are abandoned when the signal is aborted, if they only read. A request that changes
 * something runs on to its answer or time-out, since what it did would be unknown.
 */
export function abandoningReads<T>(signal: AbortSignal, calls: () => T, onReply?: OnReply): T {
  return callers.run({ signal, onReply }, calls);
}

export function guardedFetch(fetch: Fetch): Fetch {
  return async (input, init = {}) => {
    const { signal: ofCaller, onReply } = callers.getStore() ?? {};
    const caller = (init.method ?? 'GET').toUpperCase() === 'GET' ? ofCaller : undefined;
    const { signal, unlink } = linkedSignal([init.signal, caller].filter((one) => one instanceof AbortSignal));
    const isFile = new Headers(init.headers).get('accept') === 'application/binary';
    let isReadLater = false;
    try {
      const url = new URL(input instanceof Request ? input.url : input);
      const response = await following(fetch, url, { ...init, ...(signal && { signal }) }, isFile);
      onReply?.(response);
      isReadLater = isFile && response.ok;
      return isReadLater ? unlessSilent(response, unlink) : await whole(response);
    } catch (error) {
      if (caller?.aborted) throw new RequestAbandoned('the activity has ended', { cause: error });
      throw error;
    } finally {
      if (!isReadLater) unlink();
    }
  };
}

/** Sends the request, and follows redirects as far as that is safe. */
async function following(fetch: Fetch, url: URL, init: RequestInit, isFile: boolean): Promise<Response> {
  // The body of an upload is a stream, which cannot be sent twice.
  if (init.redirect === 'error') return fetch(url.href, init);
  const method = (init.method ?? 'GET').toUpperCase();
  let { headers } = init;
  let from = url;
  for (let hops = 0; ; hops += 1) {
    const response = await fetch(from.href, { ...init, ...(headers !== undefined && { headers }), redirect: 'manual' });
    const location = REDIRECTS.has(response.status) ? response.headers.get('location') : null;
    if (location === null) return response;
    const to = URL.canParse(location, from.href) ? new URL(location, from) : null;
    const refusal = hops >= MAX_REDIRECTS ? 'too many redirects' : refusalOf(from, to, { method, isFile }, response);
    await response.body?.cancel().catch(() => undefined);
    if (refusal !== null || to === null) return refused(response.status, refusal ?? 'a redirect without an address');
    if (to.origin !== from.origin) headers = withoutCredentials(headers);
    from = to;
  }
}

/** Why a redirect is not followed; null where it is. */
function refusalOf(
  from: URL,
  to: URL | null,
  { method, isFile }: { readonly method: string; readonly isFile: boolean },
  { status }: Response,
): string | null {
  if (to === null || !/^https?:$/.test(to.protocol)) return 'a redirect to an address that is not http or https';
  if (to.username !== '' || to.password !== '') return 'a redirect to an address with credentials';
  if (method !== 'GET' && !REPEATING.has(status)) return `a redirect (${status}) that would drop the request's body`;
  if (to.origin === from.origin) return null;
  if (isFile && !(from.protocol === 'https:' && to.protocol === 'http:')) return null;
  return `a redirect to another origin, ${to.origin}, which must not receive the request; check the base URL`;
}

function withoutCredentials(headers: RequestInit['headers']): Headers {
  const all = new Headers(headers);
  return new Headers(HARMLESS_HEADERS.flatMap((name) => (all.has(name) ? [[name, all.get(name)!]] : [])));
}

function refused(status: number, reason: string): Response {
  const error = { message: `not followed: ${reason}`, code: 'redirect_refused' };
  return new Response(JSON.stringify({ error }), { status, headers: { 'content-type': 'application/json' } });
}

/** The reply with its body read. The time-out of the client, which ends with `fetch`, thus includes the body. */
async function whole(response: Response): Promise<Response> {
  const { status, headers, ok } = response;
  const body = ok ? await boundedBody(response) : Buffer.from(asErrorBody(await startOfBody(response)));
  // No other status can be given to a response.
  const known = Math.min(Math.max(status, 200), 599);
  return new Response(WITHOUT_BODY.has(known) ? null : body, { status: known, headers: new Headers(headers) });
}

async function boundedBody(response: Response): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > MAX_REPLY_BYTES) break;
      chunks.push(chunk);
    }
  } catch (error) {
    // Only the error of a connection that broke is a `TypeError`; that of a time-out is not.
    if (!(error instanceof TypeError)) throw error;
    throw new UnusableReply('unreadable_reply', `the reply broke off${reasonOf(error)}`, error);
  }
  if (bytes <= MAX_REPLY_BYTES) return Buffer.concat(chunks, bytes);
  const limit = `${MAX_REPLY_BYTES / 1024 / 1024} MiB`;
  throw new UnusableReply('reply_too_large', `the reply is larger than ${limit} and was not read to its end`);
}

/** As much of the body as arrived. Whatever became of the rest, the status of an error reply is known. */
async function startOfBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_ERROR_BYTES) break;
    }
  } catch {
    // What has arrived is enough.
  }
  return Buffer.concat(chunks).subarray(0, MAX_ERROR_BYTES).toString();
}

/**
 * The reply, whose body breaks off where no data arrives for too long.
 *
 * @param onEnd called when the body has been read, breaks off, or is cancelled
 */
function unlessSilent(response: Response, onEnd: () => void): Response {
  const { body, status, headers } = response;
  // A `fetch` of the user's own may have streams of another kind.
  if (typeof body?.getReader !== 'function') return response;
  const reader = body.getReader();
  const guarded = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let timer: NodeJS.Timeout | undefined;
        const silence = new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(stalled()), MAX_SILENCE_MS);
        });
        try {
          const { done, value } = await Promise.race([reader.read(), silence]);
          if (!done) return controller.enqueue(value);
          controller.close();
          onEnd();
        } catch (error) {
          onEnd();
          reader.cancel(error).catch(() => undefined);
          throw error;
        } finally {
          clearTimeout(timer);
        }
      },
      cancel: (reason) => {
        onEnd();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(guarded, { status, headers: new Headers(headers) });
}

function stalled(): UnusableReply {
  return new UnusableReply('download_stalled', `no data arrived for ${MAX_SILENCE_MS / 1_000} s`);
}

function reasonOf({ cause }: Error): string {
  return cause instanceof Error ? ` (${cause.message})` : '';
}
