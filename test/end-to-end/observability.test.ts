/** The ready-made worker with metrics and tracing: what Prometheus scrapes of it, and what a collector receives. */
import { readFileSync } from 'node:fs';
import { context, propagation, trace, type Tracer } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { Client } from '@temporalio/client';
import { OpenTelemetryWorkflowClientInterceptor } from '@temporalio/interceptors-opentelemetry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LlmJobsClient } from '../../src/client.js';
import { METRICS } from '../../src/contract/metrics.js';
import { freePorts } from '../../src/temporal-server/index.js';
import { realClock } from '../../src/testing/index.js';
import { collector, type Collector, type ReceivedSpan } from '../support/observability/collector.js';
import { metricsIn, queriesOf, selectorsIn, type Selector } from '../support/observability/dashboard.js';
import { scrape, type Scraped } from '../support/observability/scrape.js';
import { endpoint } from '../support/runs.js';
import { chatRequest, chatRequests } from '../support/samples.js';
import { workerProcessStage } from '../support/stage.js';

const BATCHES = { validatingMs: 50, inProgressMs: 300, finalizingMs: 50, jitter: 0 } as const;
const LIMIT = 1_000_000;

const stage = workerProcessStage({ clock: realClock(), batches: BATCHES });
let spans: Collector;
let scraped: Scraped;

beforeAll(async () => {
  spans = await collector();
  const [port = 0] = await freePorts(1, '127.0.0.1');
  const worker = await stage.startWorker({
    LLM_JOBS_METRICS_PORT: String(port),
    LLM_JOBS_TRACING: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: spans.url,
  });
  const { tracer, stop } = traceApplication();
  stage.api.faults.add({ on: 'batches.create', effect: { kind: 'status', status: 500 }, times: 1 });
  // The run ends all the same, with a warning.
  stage.api.faults.add({ on: 'files.delete', effect: { kind: 'status', status: 400 }, times: 1 });
  await tracer.startActiveSpan('nightly job', async (span) => {
    await runJobs();
    span.end();
  });
  scraped = await scrape(port);
  await worker.stop('SIGTERM');
  await stop();
});
afterAll(() => spans.close());

/** A batch with a line that fails, a bulk batch of one part under a limit, and a batch at a provider that is not known. */
async function runJobs(): Promise<void> {
  const { connection, options } = stage.temporal.client;
  const interceptors = { workflow: [new OpenTelemetryWorkflowClientInterceptor()] };
  const temporal = new Client({ connection, namespace: options.namespace, interceptors });
  const jobs = new LlmJobsClient(temporal, { taskQueue: stage.temporal.taskQueue });
  const requests = [...chatRequests(3), chatRequest(3, { user: 'local-api:status=400' })];
  const batch = await jobs.startBatch({ input: { requests }, endpoint, watch: 'job', cleanup: { input: true } });
  await batch.result();
  const input = { uri: await stage.write(chatRequests(2)) };
  const bulk = await jobs.startBulkBatch({ input, enqueuedTokens: LIMIT });
  await bulk.result();
  const misdirected = await jobs.startBatch({ input: { requests }, endpoint, provider: 'nobody-knows' });
  await misdirected.result().catch(() => undefined);
}

/** Spans of the application, whose process is that of the tests. */
const ofApplication = new InMemorySpanExporter();

/** Registers OpenTelemetry for the process. */
function traceApplication(): { readonly tracer: Tracer; readonly stop: () => Promise<void> } {
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(ofApplication)] });
  provider.register();
  const stop = async () => {
    for (const global of [trace, context, propagation]) global.disable();
    await provider.forceFlush();
  };
  return { tracer: provider.getTracer('application'), stop };
}

describe('metrics', () => {
  test('runs that have ended → counted by kind and status', () => {
    const ended = scraped.samples(METRICS.runsEnded.name);
    const counted = ended.map(({ labels: { provider, kind, status }, value }) => ({ provider, kind, status, value }));
    expect(counted).toHaveLength(4);
    expect(counted).toEqual(
      expect.arrayContaining([
        { provider: 'default', kind: 'batch', status: 'completed_with_failures', value: 1 },
        { provider: 'default', kind: 'part', status: 'completed', value: 1 },
        { provider: 'default', kind: 'bulkBatch', status: 'completed', value: 1 },
        { provider: 'unknown', kind: 'batch', status: 'failed', value: 1 },
      ]),
    );
  });

  test('result lines → counted by outcome, over all batches', () => {
    const lines = scraped.samples(METRICS.resultLines.name);
    const sum = (outcome: string) =>
      lines.filter(({ labels }) => labels.outcome === outcome).reduce((total, { value }) => total + value, 0);
    expect([sum('succeeded'), sum('failed'), sum('missing')]).toEqual([5, 1, 0]);
  });

  test('an error of the API that is retried → counted with operation, type and status; one that is got over → not', () => {
    expect(stage.api.requests.some(({ operation, status }) => operation === 'files.delete' && status === 400)).toBe(
      true,
    );
    const errors = scraped.samples(METRICS.apiErrors.name);
    expect(errors.map(({ value }) => value)).toEqual([1]);
    expect(errors[0]?.labels).toMatchObject({
      provider: 'default',
      operation: 'batches.create',
      type: 'ApiUnavailable',
      status: '500',
    });
  });

  test('wake delay → one observation for each job, in buckets of seconds', () => {
    const counts = scraped.samples(`${METRICS.wakeDelay.name}_count`);
    const counted = counts.map(({ labels: { kind, watch }, value }) => ({ kind, watch, value }));
    expect(counted).toContainEqual({ kind: 'batch', watch: 'job', value: 1 });
    expect(counts.reduce((total, { value }) => total + value, 0)).toBe(2);
    const bounds = scraped.samples(`${METRICS.wakeDelay.name}_bucket`).map(({ labels }) => labels.le);
    expect(new Set(bounds)).toContain('21600');
  });

  test('token budget → what is enqueued and what is free are the limit of the spec, and nothing waits', () => {
    const [room, enqueued, waiting] = [METRICS.budgetRoom, METRICS.budgetEnqueued, METRICS.budgetWaiting].map(
      ({ name }) => scraped.samples(name),
    );
    expect(room).toHaveLength(1);
    expect(room?.[0]?.labels).toMatchObject({ provider: 'default', model: 'gpt-4o-mini' });
    expect(room![0]!.value + enqueued![0]!.value).toBe(LIMIT);
    expect(waiting?.[0]?.value).toBe(0);
  });

  test('labels → those of the table and of the SDK, no ids', () => {
    const ofSdk = ['namespace', 'taskQueue', 'workflowType', 'activityType', 'service_name'];
    const tables = Object.values(METRICS);
    const used = tables.map(({ name, type }) => {
      const samples = scraped.samples(type === 'histogram' ? `${name}_count` : name);
      const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
      return { name, labels: [...labels].filter((label) => !ofSdk.includes(label)).toSorted() };
    });
    expect(used).toEqual(tables.map(({ name, labels }) => ({ name, labels: labels.toSorted() })));
  });

  test('the dashboard → queries every metric of the table, and none that the worker lacks, by labels that it has', () => {
    const queries = queriesOf(readFileSync(new URL('../../dashboards/llm-jobs.json', import.meta.url), 'utf8'));
    const queried = queries.flatMap(metricsIn);
    expect(queried.filter((name) => scraped.samples(name).length === 0)).toEqual([]);
    const ofTable = Object.values(METRICS).map(({ name, type }) => (type === 'histogram' ? `${name}_bucket` : name));
    expect(queried).toEqual(expect.arrayContaining(ofTable));
    expect(queries.flatMap(selectorsIn).filter((selector) => !isThere(selector))).toEqual([]);
  });
});

describe('tracing', () => {
  test('application → workflow → activity → API call, with its request id, in one trace', () => {
    const known: Span[] = [
      ...spans.all,
      ...ofApplication.getFinishedSpans().map((span) => ({
        name: span.name,
        parentSpanId: span.parentSpanId,
        ...span.spanContext(),
      })),
    ];
    const calls = spans.all.filter(({ name }) => name === 'batches.create');
    // The first is refused, and retried in another attempt.
    expect(calls.map(({ attributes }) => attributes['http.response.status_code'])).toEqual([500, 200, 200]);
    const [refused, created] = calls;
    expect(pathTo(created!, known)).toEqual([
      'nightly job',
      'StartWorkflow:runBatch',
      'RunWorkflow:runBatch',
      'StartActivity:createBatch',
      'RunActivity:createBatch',
      'batches.create',
    ]);
    expect(new Set(calls.map(({ traceId }) => traceId)).size).toBe(1);
    expect(refused!.attributes).toMatchObject({ 'llm_jobs.provider': 'default', 'error.type': '500' });
    expect(created!.attributes['llm_jobs.request_id']).toMatch(/^req_[0-9a-f]{32}$/);
    expect(created!.service).toBe('llm-jobs-worker');
  });

  test('the watch and the token budget, which serve many runs → traces of their own', () => {
    const ofRun = traceOf('RunWorkflow:runBatch');
    const others = [traceOf('SignalWithStartWorkflow:watchAccount'), traceOf('SignalWithStartWorkflow:tokenBudget')];
    expect(new Set([ofRun, ...others])).toHaveProperty('size', 3);
    expect(others).not.toContain(undefined);
  });
});

test('a collector that is not there → the job ends, and the worker stops as always', async () => {
  const [port] = await freePorts(1, '127.0.0.1');
  const worker = await stage.startWorker({
    LLM_JOBS_TRACING: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
  });
  const run = await stage.jobs.startBatch({ input: { requests: chatRequests(1) }, endpoint });
  expect((await run.result()).status).toBe('completed');
  expect(await worker.stop('SIGTERM')).toBe(0);
  expect(worker.stderr()).toMatch(/The collector did not take the last spans.*ECONNREFUSED/);
});

const traceOf = (name: string) => spans.all.find((span) => span.name === name)?.traceId;

const isThere = ({ name, label }: Selector) => scraped.samples(name).every(({ labels }) => label in labels);

interface Span extends Pick<ReceivedSpan, 'name' | 'traceId' | 'spanId'> {
  readonly parentSpanId?: string | undefined;
}

/** Names of the spans from the root of the trace to this one. */
function pathTo(span: Span, known: readonly Span[]): string[] {
  const parent = known.find(({ spanId, traceId }) => spanId === span.parentSpanId && traceId === span.traceId);
  return [...(parent ? pathTo(parent, known) : []), span.name];
}
