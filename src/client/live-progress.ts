/**
 * What the polling activity saw last. Its attempts cost no history, so the workflow does not know; but Temporal keeps the last
 * attempt's (benign) failure, and that carries the counts.
 */
import { ApplicationFailure, type Client, type WorkflowHandle } from '@temporalio/client';
import { z } from 'zod';

const lookSchema = z.looseObject({ status: z.string(), checkedAt: z.number() });

export interface LatestPoll {
  /** Epoch seconds. */
  readonly checkedAt: number;
  /** `status`, and `counts` or `steps`. */
  readonly news: Readonly<Record<string, unknown>>;
}

/** Null where nothing is polled now, or what it saw cannot be read (as with an encrypting codec). */
export async function latestPoll(client: Client, handle: WorkflowHandle): Promise<LatestPoll | null> {
  const { raw } = await handle.describe();
  const { payloadConverter, failureConverter } = client.options.loadedDataConverter;
  for (const { lastFailure } of raw.pendingActivities ?? []) {
    if (!lastFailure) continue;
    try {
      const failure = failureConverter.failureToError(lastFailure, payloadConverter);
      if (!(failure instanceof ApplicationFailure) || failure.type !== 'NothingNew') continue;
      const { checkedAt, ...news } = lookSchema.parse(failure.details?.[0]);
      return { checkedAt, news };
    } catch {
      return null;
    }
  }
  return null;
}
