/**
 * Progress that is fresher than the workflow's own. While a job is polled, each attempt that sees no change fails with
 * the benign `NothingNew`: that costs no history, so the workflow does not learn of it, but Temporal keeps the last
 * failure and its counts.
 */
import { ApplicationFailure, type Client, type WorkflowHandle } from '@temporalio/client';
import { z } from 'zod';

const detailsSchema = z.looseObject({ status: z.string(), checkedAt: z.number() });

export interface LatestPoll {
  /** Epoch seconds. */
  readonly checkedAt: number;
  /** Fields of the `progress` answer: `status`, and `counts` or `steps`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * The latest poll; null if no job is being polled, or if its failure cannot be decoded (as with an encrypting codec).
 */
export async function latestPoll(client: Client, handle: WorkflowHandle): Promise<LatestPoll | null> {
  const { raw } = await handle.describe();
  const { payloadConverter, failureConverter } = client.options.loadedDataConverter;
  for (const { lastFailure } of raw.pendingActivities ?? []) {
    if (!lastFailure) continue;
    try {
      const failure = failureConverter.failureToError(lastFailure, payloadConverter);
      if (!(failure instanceof ApplicationFailure) || failure.type !== 'NothingNew') continue;
      const { checkedAt, ...fields } = detailsSchema.parse(failure.details?.[0]);
      return { checkedAt, fields };
    } catch {
      return null;
    }
  }
  return null;
}
