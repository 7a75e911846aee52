import type { PrometheusMetricsExporter } from '@temporalio/worker';
import type { ListenAddress } from '../config/worker-config.js';
import { METRIC_BUCKETS } from '../contract/metrics.js';

/** The exporter of a runtime whose metrics are served at `/metrics` of this address. */
export function prometheusOptions({ host, port }: ListenAddress): PrometheusMetricsExporter['prometheus'] {
  const bindAddress = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return { bindAddress, histogramBucketOverrides: METRIC_BUCKETS };
}
