import { metricMeter } from '@temporalio/activity';
import { METRICS } from '../../contract/metrics.js';
import type { Operation } from '../../provider/error-table.js';

/** @param status null where there was no readable reply */
export function countApiError(provider: string, operation: Operation, type: string, status: number | null): void {
  const { name, description } = METRICS.apiErrors;
  const labels = { provider, operation, type, status: status === null ? 'none' : String(status) };
  metricMeter.createCounter(name, undefined, description).add(1, labels);
}
