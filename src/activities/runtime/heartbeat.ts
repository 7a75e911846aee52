import { Context } from '@temporalio/activity';

type HeartbeatDetails = () => unknown;

/** Interval in which activities without a heartbeat time-out would be checked. */
const DEFAULT_HEARTBEAT_TIMEOUT_MS = 30_000;

interface Heartbeat {
  details: HeartbeatDetails | undefined;
  /** Fields that every heartbeat carries beside the details. */
  fields: Readonly<Record<string, unknown>> | undefined;
  /** Whether the activity has sent a heartbeat. */
  isSent: boolean;
}

/** The heartbeat of each running activity. Nested calls share it, so that there is one timer for each activity. */
const heartbeats = new WeakMap<Context, Heartbeat>();

/**
 * Heartbeats while the work runs, so that the server notices a dead worker within the heartbeat time-out and the
 * activity learns of its cancellation. The next attempt receives the last `details`, which travel with the failure of
 * this one.
 */
export async function withHeartbeat<T>(work: () => Promise<T>, details?: HeartbeatDetails): Promise<T> {
  const context = Context.current();
  const outer = heartbeats.get(context);
  const heartbeat = outer ?? { details, fields: undefined, isSent: false };
  heartbeat.details = details ?? heartbeat.details;
  heartbeats.set(context, heartbeat);
  const intervalMs = (context.info.heartbeatTimeoutMs ?? DEFAULT_HEARTBEAT_TIMEOUT_MS) / 3;
  const timer = outer ? undefined : setInterval(() => send(context, heartbeat), intervalMs);
  try {
    return await work();
  } catch (error) {
    if (details) send(context, heartbeat);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** Sets the fields that the heartbeats of the running activity carry. The next attempt receives the last of them. */
export function carryInHeartbeat(fields: Readonly<Record<string, unknown>>): void {
  const heartbeat = heartbeats.get(Context.current());
  if (heartbeat) heartbeat.fields = fields;
}

/** Sends what the next attempt is to receive. @param onlyIfSent only if an earlier heartbeat has to be corrected */
export function sendHeartbeat({ onlyIfSent }: { readonly onlyIfSent: boolean }): void {
  const context = Context.current();
  const heartbeat = heartbeats.get(context);
  if (heartbeat && (heartbeat.isSent || !onlyIfSent)) send(context, heartbeat);
}

function send(context: Context, heartbeat: Heartbeat): void {
  const details = heartbeat.details?.();
  heartbeat.isSent = true;
  context.heartbeat(heartbeat.fields ? { ...asObject(details), ...heartbeat.fields } : details);
}

const asObject = (details: unknown): object => (typeof details === 'object' && details !== null ? details : {});

/** The same chunks, until the activity is cancelled: then the next one throws. */
export async function* untilCancelled(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { cancellationSignal } = Context.current();
  for await (const chunk of source) {
    cancellationSignal.throwIfAborted();
    yield chunk;
  }
}
