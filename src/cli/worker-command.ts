/** `llm-jobs worker`. */
import { Command } from 'commander';
import { run, type Io } from './io.js';
import type { CheckWorkerOptions } from './check-worker-action.js';
import { configOption } from './run-commands.js';

/** Variables that `readWorkerConfig` and Temporal's own configuration read, in the form of commander's help. */
const ENVIRONMENT = `
The configuration is llm-jobs.config.ts, .js, .mjs or .json in the working folder, or the file of --config or
LLM_JOBS_CONFIG. It sets any number of accounts; see docs/reference/configuration.md. Without it, or for what it
leaves out, variables of the environment:
  OPENAI_API_KEY             API key (required without a file)
  OPENAI_BASE_URL, OPENAI_ORG_ID, OPENAI_PROJECT_ID
                             as for the openai package
  TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_...
                             the Temporal server, or a profile of Temporal's configuration file
                             (default: "default" at localhost:7233)
  LLM_JOBS_TASK_QUEUE        task queue (default: llm-jobs)
  LLM_JOBS_STORAGE           storage roots, separated by commas: file:// or s3:// URIs, or paths;
                             results are written below the first (default: .llm-jobs/)
  LLM_JOBS_S3_PATH_STYLE     true or false: bucket in the path of S3 URLs, not in the host name
  LLM_JOBS_POLL_MIN, LLM_JOBS_POLL_MAX
                             bounds of the poll interval (default: 5s, 5m)
  LLM_JOBS_WATCH             account: one watch reads the lists of the account; job: each run polls its job
                             (default: account)
  LLM_JOBS_WATCH_NET         how often a sleeping run checks that its job is watched (default: 6h)
  LLM_JOBS_ON_ORPHAN         leave or cancel jobs whose run has ended (default: leave)
  LLM_JOBS_MAX_MEMORY        what the process may use, such as 512MB (default: the container's limit)
  LLM_JOBS_MAX_ACTIVITIES    concurrent activities (default: 100)
  LLM_JOBS_CREATES_PER_HOUR  batches that bulk batches create within an hour at most (default: 2000)
  LLM_JOBS_SHUTDOWN_GRACE    how long activities may continue after SIGTERM (default: 30s)
  LLM_JOBS_WEBHOOK_PORT, LLM_JOBS_WEBHOOK_HOST
                             where webhooks are taken, at /webhooks (default: nowhere; 127.0.0.1)
  LLM_JOBS_METRICS_PORT, LLM_JOBS_METRICS_HOST
                             where Prometheus scrapes metrics, at /metrics (default: nowhere; 127.0.0.1)
  LLM_JOBS_TRACING           otlp: spans go to a collector, by the variables OTEL_... of OpenTelemetry
                             (default: no tracing)
  OPENAI_WEBHOOK_SECRET      signing secrets of the webhooks, separated by commas
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY
                             the proxy of requests to providers
  LLM_JOBS_LOG_LEVEL         TRACE, DEBUG, INFO, WARN or ERROR; JSON lines on stderr (default: INFO)

To keep the worker's memory small, add NODE_OPTIONS=--max-semi-space-size=4.
The first SIGTERM or SIGINT drains the worker. No job at the provider is cancelled.`;

interface WorkerOptions extends CheckWorkerOptions {
  readonly check?: boolean;
}

export function workerCommand(io: Io): Command {
  return new Command('worker')
    .description('Run a worker with all workflows and activities until SIGTERM or SIGINT.')
    .addOption(configOption())
    .option('--check', 'do not run: check configuration, storage, Temporal, and each account by one question')
    .option('--json', 'with --check: print JSON')
    .addHelpText('after', ENVIRONMENT)
    .action(async ({ check, ...options }: WorkerOptions) => {
      // Loaded on demand: the worker's native addon and the openai package would slow down every other command.
      if (check) return run(io, async () => (await import('./check-worker-action.js')).checkWorkerNow(io, options));
      const { runWorker } = await import('../worker/main.js');
      return runWorker(options.config);
    });
}
