import { Context } from '@temporalio/activity';

/**
 * Heartbeats while the work runs, so that the server notices a dead worker within the heartbeat time-out and the activity
 * hears of its cancellation. `details` are kept for the next attempt.
 */
export async function withHeartbeat<T>(work: () => Promise<T>, details?: () => unknown): Promise<T> {
  const context = Context.current();
  const beat = () => {
    context.heartbeat(details?.());
  };
  const timer = setInterval(beat, (context.info.heartbeatTimeoutMs ?? 30_000) / 3);
  beat();
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** The same chunks, until the activity is cancelled: then the next one throws. */
export async function* untilCancelled(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { cancellationSignal } = Context.current();
  for await (const chunk of source) {
    cancellationSignal.throwIfAborted();
    yield chunk;
  }
}
