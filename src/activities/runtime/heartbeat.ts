import { Context } from '@temporalio/activity';

type HeartbeatDetails = () => unknown;

/** Interval in which activities without a heartbeat time-out would be checked. */
const DEFAULT_HEARTBEAT_TIMEOUT_MS = 30_000;

/** The heartbeat of each running activity. Nested calls share it, so that there is one timer for each activity. */
const heartbeats = new WeakMap<Context, { details: HeartbeatDetails | undefined }>();

/**
 * Heartbeats while the work runs, so that the server notices a dead worker within the heartbeat time-out and the
 * activity learns of its cancellation. The next attempt receives the last `details`, which travel with the failure of
 * this one.
 */
export async function withHeartbeat<T>(work: () => Promise<T>, details?: HeartbeatDetails): Promise<T> {
  const context = Context.current();
  const outer = heartbeats.get(context);
  const heartbeat = outer ?? { details };
  heartbeat.details = details ?? heartbeat.details;
  const send = () => context.heartbeat(heartbeat.details?.());
  heartbeats.set(context, heartbeat);
  const intervalMs = (context.info.heartbeatTimeoutMs ?? DEFAULT_HEARTBEAT_TIMEOUT_MS) / 3;
  const timer = outer ? undefined : setInterval(send, intervalMs);
  try {
    return await work();
  } catch (error) {
    if (details) send();
    throw error;
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
