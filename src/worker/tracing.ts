/** Spans of runs, activities and calls of the API, which are sent to a collector of OpenTelemetry. */
import { fileURLToPath } from 'node:url';
import type { Logger, WorkerOptions } from '@temporalio/worker';

/** Spans of a worker whose environment names no service. */
const SERVICE = 'llm-jobs-worker';

export interface Tracing {
  /** The workflows, bundled with the interceptors that trace them: the bundle that is shipped has none. */
  readonly options: Pick<WorkerOptions, 'workflowsPath' | 'bundlerOptions' | 'plugins'>;
  /** Sends what was not sent so far. A collector that does not take it, for ten seconds at most, is logged. */
  readonly stop: () => Promise<void>;
}

/**
 * Sends spans by OTLP over HTTP. Where to, and which, the variables of OpenTelemetry say, such as
 * `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_SERVICE_NAME` and `OTEL_TRACES_SAMPLER`.
 *
 * @throws Error that names the packages to install
 */
export async function startTracing(logger: Logger): Promise<Tracing> {
  const [temporal, exporters, resources, sdk] = await loaded();
  const spanProcessor = new sdk.BatchSpanProcessor(new exporters.OTLPTraceExporter());
  const resource = new resources.Resource({ 'service.name': SERVICE }).merge(
    resources.detectResourcesSync({ detectors: [resources.envDetectorSync] }),
  ) as InstanceType<typeof resources.Resource>;
  const provider = new sdk.NodeTracerProvider({ resource, spanProcessors: [spanProcessor] });
  provider.register();
  const workflowsPath = fileURLToPath(new URL('../workflows.js', import.meta.url));
  return {
    options: {
      workflowsPath,
      bundlerOptions: { preloadModules: [workflowsPath] },
      plugins: [new temporal.OpenTelemetryPlugin({ resource, spanProcessor })],
    },
    stop: () =>
      provider.shutdown().catch((error: unknown) => {
        logger.warn('The collector did not take the last spans', { reason: String(error) });
      }),
  };
}

async function loaded() {
  try {
    return await Promise.all([
      import('@temporalio/interceptors-opentelemetry'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/sdk-trace-node'),
    ]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const packages =
      '@temporalio/interceptors-opentelemetry @opentelemetry/sdk-trace-node@1 @opentelemetry/resources@1 @opentelemetry/exporter-trace-otlp-http@0.57';
    throw new Error(`tracing needs further packages: npm install ${packages}`, { cause: error });
  }
}
