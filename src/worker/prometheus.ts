import type { PrometheusMetricsExporter } from '@temporalio/worker';
import { METRIC_BUCKETS } from '../contract/metrics.js';

/** The exporter of a runtime whose metrics are served at `/metrics` of this address. */
export function prometheusOptions({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number;
}): PrometheusMetricsExporter['prometheus'] {
  const bindAddress = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return { bindAddress, histogramBucketOverrides: METRIC_BUCKETS };
}
