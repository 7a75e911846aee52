import { Context } from '@temporalio/activity';

type Details = () => unknown;

/** Of each activity that runs: what its beats carry. There is one pulse, whoever asks for it again. */
const pulses = new WeakMap<Context, { details: Details | undefined }>();

/**
 * Heartbeats while the work runs, so that the server notices a dead worker within the heartbeat time-out and the activity
 * hears of its cancellation. `details` are kept for the next attempt: the last ones travel with the failure of this one.
 */
export async function withHeartbeat<T>(work: () => Promise<T>, details?: Details): Promise<T> {
  const context = Context.current();
  const running = pulses.get(context);
  const pulse = running ?? { details };
  pulse.details = details ?? pulse.details;
  const beat = () => context.heartbeat(pulse.details?.());
  pulses.set(context, pulse);
  const timer = running ? undefined : setInterval(beat, (context.info.heartbeatTimeoutMs ?? 30_000) / 3);
  try {
    return await work();
  } catch (error) {
    if (details) beat();
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
