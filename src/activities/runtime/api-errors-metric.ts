import { metricMeter } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { ApiErrorDetails } from '../../contract/failures.js';
import { METRICS } from '../../contract/metrics.js';

const TYPES: ReadonlySet<unknown> = new Set(['ApiRefused', 'ApiUnavailable', 'WaitingForCapacity']);

/**
 * Counts an attempt of an activity that ended with an error of the API, not an error that the attempt got over.
 *
 * @param input of the activity; that of an operator may leave the provider out
 */
export function countApiError(error: unknown, input: unknown): void {
  if (!(error instanceof ApplicationFailure) || !TYPES.has(error.type)) return;
  const [{ operation, status }] = error.details as [ApiErrorDetails];
  const { provider = 'default' } = (input ?? {}) as { readonly provider?: string };
  const { name, description } = METRICS.apiErrors;
  // An error without a readable reply has no status.
  const labels = { provider, operation, type: error.type!, status: String(status ?? 'none') };
  metricMeter.createCounter(name, undefined, description).add(1, labels);
}
