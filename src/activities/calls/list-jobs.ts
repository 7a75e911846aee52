/** The list of a provider's jobs, and how far back in it a job of a run can be. */
import { activityInfo } from '@temporalio/activity';
import { safeParse } from '../../contract/safe-parse.js';
import type { JobSnapshot } from '../../contract/snapshots.js';
import type { JobKind } from '../../provider/job-kinds.js';
import { listAll, type ListOptions } from './list-all.js';
import type { ProviderApi } from './provider-api.js';

/** How much two clocks may differ: that of the provider's reply and the one that stamps its jobs, for example. */
const CLOCK_SKEW_SECONDS = 900;

export interface ListJobsOptions extends ListOptions {
  /** Jobs per page. */
  readonly limit?: number;
}

/** Every job of the list that can be read, newest first. */
export async function* eachJob<T extends JobSnapshot>(
  { name, path, pageSize, schema }: JobKind<T>,
  api: ProviderApi,
  { limit = pageSize, ...options }: ListJobsOptions,
): AsyncGenerator<T> {
  for await (const object of listAll(api, `${name}.list`, path, { limit }, options)) {
    const reading = safeParse(schema, object);
    if (reading.success) yield reading.data;
  }
}

/**
 * No job of a run is older, by the provider's clock, in epoch seconds. Temporal's clock may differ from it by any
 * amount: what counts is the age of the run.
 *
 * @param startedAt when the run started, on Temporal's clock
 * @param providerTime the time of the provider's reply; null where it does not tell it
 */
export function oldestPossible(startedAt: number, providerTime: number | null): number {
  if (providerTime === null) return startedAt - CLOCK_SKEW_SECONDS;
  const now = Math.max(Date.now(), activityInfo().currentAttemptScheduledTimestampMs) / 1_000;
  return Math.min(startedAt, Math.floor(providerTime - (now - startedAt))) - CLOCK_SKEW_SECONDS;
}
