/**
 * The metrics of this package, beside those of Temporal's SDK. They leave by the meter of the SDK's runtime, so that
 * they come out where its own do. No label has more values than there are accounts, models and documented words: ids of
 * runs and jobs are in traces and logs.
 */
export interface MetricDefinition {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Of the value, in the words of the metric's name; null where things are counted. */
  readonly unit: 'seconds' | 'tokens' | null;
  /** Beside those that the SDK sets, such as `namespace` and `taskQueue`. */
  readonly labels: readonly string[];
  readonly description: string;
}

export const METRICS = {
  runsEnded: {
    name: 'llm_jobs_runs_ended_total',
    type: 'counter',
    unit: null,
    labels: ['provider', 'kind', 'status'],
    description: 'Runs that have ended, by the kind of job and how it ended',
  },
  resultLines: {
    name: 'llm_jobs_result_lines_total',
    type: 'counter',
    unit: null,
    labels: ['provider', 'outcome'],
    description: 'Requests of batches whose results were collected, by their outcome',
  },
  apiErrors: {
    name: 'llm_jobs_api_errors_total',
    type: 'counter',
    unit: null,
    labels: ['provider', 'operation', 'type', 'status'],
    description: 'Errors of the API that ended an attempt of an activity',
  },
  wakeDelay: {
    name: 'llm_jobs_wake_delay_seconds',
    type: 'histogram',
    unit: 'seconds',
    labels: ['provider', 'kind', 'watch'],
    description: 'Time from the end of a job, as the provider dates it, until its run knows it',
  },
  budgetRoom: {
    name: 'llm_jobs_token_budget_room_tokens',
    type: 'gauge',
    unit: 'tokens',
    labels: ['provider', 'model'],
    description: 'Tokens that may still be enqueued, where a limit is known',
  },
  budgetEnqueued: {
    name: 'llm_jobs_token_budget_enqueued_tokens',
    type: 'gauge',
    unit: 'tokens',
    labels: ['provider', 'model'],
    description: 'Estimated tokens of the batches that are enqueued',
  },
  budgetWaiting: {
    name: 'llm_jobs_token_budget_waiting_parts',
    type: 'gauge',
    unit: null,
    labels: ['provider', 'model'],
    description: 'Parts of bulk batches that wait for room',
  },
  budgetUpdated: {
    name: 'llm_jobs_token_budget_updated_seconds',
    type: 'gauge',
    unit: 'seconds',
    labels: ['provider'],
    description: 'When a worker last set the gauges of the token budget, in epoch seconds',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

/**
 * Bounds of the buckets of the histograms, in seconds, for `histogramBucketOverrides` of the runtime's exporter, whose
 * own are for milliseconds. The ready-made worker sets them.
 */
export const METRIC_BUCKETS: Record<string, number[]> = {
  [METRICS.wakeDelay.name]: [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600, 21_600],
};
