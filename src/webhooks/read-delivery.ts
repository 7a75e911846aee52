/**
 * What is read of a request before anything is verified. All of it is bounded: `webhooks.unwrap` of openai 6.49 verifies
 * as many signatures as the header has, each over the whole body.
 */

/** Real ids have 35 characters, Standard Webhooks sets no limit. */
const MAX_ID_LENGTH = 256;
/** A secret that is being rotated makes two signatures. */
const MAX_SIGNATURES = 16;
const MAX_SIGNATURE_HEADER_LENGTH = 2_048;
/** Webhooks are thin: those of jobs have some 200 bytes. */
const MAX_BODY_BYTES = 64 * 1024;
/** How long a body may take to arrive. */
const MAX_BODY_MS = 10_000;

/** The headers of a delivery, well-formed and not yet verified. */
export interface DeliveryHeaders {
  readonly id: string;
  /** Epoch seconds, as the header has them: the text is what is signed. */
  readonly timestamp: string;
  readonly signature: string;
}

/** The headers of a request; null if it cannot be a webhook. */
export function readHeaders(headers: Headers): DeliveryHeaders | null {
  const id = headers.get('webhook-id');
  const timestamp = headers.get('webhook-timestamp');
  const signature = headers.get('webhook-signature');
  if (id === null || timestamp === null || signature === null) return null;
  if (id === '' || id.length > MAX_ID_LENGTH || !/^\d{1,12}$/.test(timestamp)) return null;
  if (signature.length > MAX_SIGNATURE_HEADER_LENGTH) return null;
  return signature.split(' ', MAX_SIGNATURES + 1).length > MAX_SIGNATURES ? null : { id, timestamp, signature };
}

/**
 * The body as text. No more than the limit is read, whatever `content-length` says.
 *
 * @throws TypeError if the body was read before
 */
export async function readBody(request: Request): Promise<{ readonly text: string } | 'tooLarge' | 'malformed'> {
  if (request.bodyUsed) throw new TypeError('the body of the request was read before it came to the webhook handler');
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) return 'tooLarge';
  const reader = request.body?.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void reader?.cancel().catch(() => undefined);
  }, MAX_BODY_MS);
  try {
    for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader?.read()) {
      chunks.push(chunk.value);
      bytes += chunk.value.length;
      if (bytes > MAX_BODY_BYTES) {
        void reader?.cancel().catch(() => undefined);
        return 'tooLarge';
      }
    }
  } catch {
    // The sender broke off.
    return 'malformed';
  } finally {
    clearTimeout(timer);
  }
  const text = isLate ? null : decoded(Buffer.concat(chunks, bytes));
  return text === null ? 'malformed' : { text };
}

/** The text of the bytes, all of it: with its byte order mark, which is signed, too. Null if they are not UTF-8. */
function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
