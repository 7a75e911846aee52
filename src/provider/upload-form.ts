/**
 * Uploads as streams. The SDK's own multipart buffers the whole file (measured: 275 MB of memory for 200 MB), so the form is
 * encoded here by `form-data-encoder` and sent through the client's raw `post`, with everything else the SDK's own.
 */
import { FormDataEncoder } from 'form-data-encoder';
import type OpenAI from 'openai';

export interface UploadForm {
  /** Unique name of the file at the provider. */
  readonly filename: string;
  /** Size in bytes; the stream must bring exactly as many. */
  readonly bytes: number;
  readonly content: () => AsyncIterable<Uint8Array>;
  /** The form's other fields, such as `purpose`. */
  readonly fields: Readonly<Record<string, string>>;
}

/** `POST /files` with a streamed form. The time-out is in ms and counts until the reply. */
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
    // Node's fetch sends a copy of the request, whose original keeps every byte of the body, unless the request can neither be
    // redirected nor belong to a window: https://fetch.spec.whatwg.org/#http-network-or-cache-fetch, step 8. A stream could not be sent
    // to a second place anyway.
    fetchOptions: { redirect: 'error', window: null },
    ...options,
  });
}

/** The encoder's own `encode` would copy the file in small pieces, and take those of a chunk that lies within a larger buffer from its start. */
async function* bytesOf(encoder: FormDataEncoder, content: UploadForm['content']): AsyncGenerator<Uint8Array> {
  for (const part of encoder.values()) {
    if (part instanceof Uint8Array) yield part;
    else yield* content();
  }
}

type Entry = [string, string | { readonly name: string; readonly size: number }];

/** The least of a FormData that the encoder asks for; the built-in one would want the file as a Blob. */
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
