/**
 * Uploads as streams. The SDK's multipart encoding buffers the whole file (measured: 275 MB of memory for 200 MB), so
 * the form is encoded by `form-data-encoder` and sent through the client's raw `post`, which keeps everything else that
 * the SDK does.
 */
import { FormDataEncoder } from 'form-data-encoder';
import type OpenAI from 'openai';

export interface UploadForm {
  /** Name of the file at the provider. */
  readonly filename: string;
  /** Size in bytes. The stream must yield exactly this many. */
  readonly bytes: number;
  readonly content: () => AsyncIterable<Uint8Array>;
  /** The form's other fields, such as `purpose`. */
  readonly fields: Readonly<Record<string, string>>;
}

/** `POST /files` with a streamed form. The time-out is in milliseconds and covers everything up to the reply. */
export function postFile(
  client: OpenAI,
  form: UploadForm,
  options: { readonly timeout: number; readonly signal: AbortSignal },
): PromiseLike<unknown> {
  const file = {
    name: form.filename,
    type: 'application/jsonl',
    size: form.bytes,
    lastModified: 0,
    stream: form.content,
    [Symbol.toStringTag]: 'File',
  };
  const encoder = new FormDataEncoder(new FormEntries([...Object.entries(form.fields), ['file', file]]));
  return client.post('/files', {
    body: bytesOf(encoder, form.content),
    headers: {
      'content-type': encoder.contentType,
      ...(encoder.contentLength !== undefined && { 'content-length': encoder.contentLength }),
    },
    // Node's fetch sends a copy of the request and keeps the whole body in the original, unless the request can neither
    // be redirected nor belongs to a window: https://fetch.spec.whatwg.org/#http-network-or-cache-fetch, step 8. A
    // stream could not be sent again after a redirect anyway.
    fetchOptions: { redirect: 'error', window: null },
    ...options,
  });
}

/**
 * The form's bytes. The encoder's `encode` would copy the file in small pieces, and would read a chunk that is a view
 * on a larger buffer from the start of that buffer.
 */
async function* bytesOf(encoder: FormDataEncoder, content: UploadForm['content']): AsyncGenerator<Uint8Array> {
  for (const part of encoder.values()) {
    if (part instanceof Uint8Array) yield part;
    else yield* content();
  }
}

type Entry = [string, string | { readonly name: string; readonly size: number }];

/** The part of FormData that the encoder uses. The built-in class accepts files as Blobs only. */
class FormEntries {
  readonly [Symbol.toStringTag] = 'FormData';
  readonly #entries: Entry[];

  constructor(entries: Entry[]) {
    this.#entries = entries;
  }

  append(name: string, value: unknown): void {
    this.#entries.push([name, value as Entry[1]]);
  }

  getAll(name: string) {
    return this.#entries.filter(([key]) => key === name).map(([, value]) => value) as never[];
  }

  *entries(): IterableIterator<[string, never]> {
    yield* this.#entries as [string, never][];
  }

  [Symbol.iterator]() {
    return this.entries();
  }
}
