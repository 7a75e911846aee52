/** Content that arrives over several connections, as one stream: what broke off is opened again where it stopped. */

/** Give up after this many consecutive connections without data. */
const MAX_EMPTY_CONNECTIONS = 5;

/** A connection that broke, or ended before the expected end of the content. */
export interface Interruption {
  /** What the connection threw; null if it ended without an error, only too early. */
  readonly error: { readonly thrown: unknown } | null;
  /** Bytes of the content up to here, including those before the start. */
  readonly offset: number;
}

export interface ResumingStreamOptions {
  /** The content from `start` on, already open. */
  readonly first: AsyncIterable<Uint8Array>;
  /**
   * Where `first` begins, in bytes.
   * @default 0
   */
  readonly start?: number;
  /**
   * Offset at which the content ends; null if unknown, and then the first connection that ends without an error is the
   * last.
   */
  readonly end: number | null;
  /** Opens the content at an offset; null if nothing follows. What it throws ends the stream. */
  readonly reopen: (offset: number) => Promise<AsyncIterable<Uint8Array> | null>;
  /** Called at each interruption. It throws if the stream must not be resumed. */
  readonly onInterruption: (interruption: Interruption) => void;
  /**
   * Called instead of resuming after too many connections without data. It throws, or returns to accept the content as
   * whole.
   */
  readonly onGivingUp: (interruption: Interruption) => void;
  /** Waits before the content is opened again. Counts the consecutive connections without data, from 0. */
  readonly pause: (emptyConnections: number) => Promise<void>;
}

export async function* resumingStream(options: ResumingStreamOptions): AsyncGenerator<Uint8Array> {
  const { start = 0, end } = options;
  let content: AsyncIterable<Uint8Array> | null = options.first;
  let offset = start;
  let emptyConnections = 0;
  while (content) {
    const openedAt = offset;
    let error: Interruption['error'] = null;
    try {
      for await (const chunk of content) {
        offset += chunk.length;
        yield chunk;
      }
      if (end === null || offset >= end) return;
    } catch (thrown) {
      error = { thrown };
    }
    options.onInterruption({ error, offset });
    emptyConnections = offset > openedAt ? 0 : emptyConnections + 1;
    if (emptyConnections >= MAX_EMPTY_CONNECTIONS) {
      options.onGivingUp({ error, offset });
      return;
    }
    await options.pause(emptyConnections);
    content = await options.reopen(offset);
  }
}
