/** The runs of a task queue, with what the watch of their account saw last of their jobs. */
import type { Client } from '@temporalio/client';
import { WATCH_ACCOUNT, type WatchedJob } from '../contract/account-watch.js';
import type { TrainingSteps } from '../contract/fine-tuning.js';
import { JOB_STATES, SEARCH_ATTRIBUTES, type JobState } from '../contract/search-attributes.js';
import type { RequestCounts } from '../contract/snapshots.js';
import { readWatch } from '../temporal/account-view.js';
import { hasSearchAttributes } from '../temporal/search-attributes.js';

/** The kind of a run. */
export type RunKind = 'batch' | 'fineTuning' | 'bulkBatch';

const TYPES = { batch: 'runBatch', fineTuning: 'runFineTuning', bulkBatch: 'runBulkBatch' } as const;

/** Which runs are listed. */
export interface ListOptions {
  /**
   * Kinds of runs. The runs of a bulk batch's parts are of the kind `batch`.
   * @default all
   */
  readonly kinds?: readonly RunKind[];
  /**
   * Whether only runs that are open are listed.
   * @default true
   */
  readonly onlyOpen?: boolean;
  /**
   * Only runs in one of these states. Needs the search attributes of `llm-jobs setup`; runs that were started before are
   * not found.
   * @default all
   */
  readonly states?: readonly JobState[];
  /**
   * Only runs of this model. Needs the search attributes of `llm-jobs setup`.
   * @default all
   */
  readonly model?: string;
}

/** A run, as visibility knows it. */
export interface ListedRun {
  /** Its kind. */
  readonly kind: RunKind;
  /** Its workflow id. */
  readonly workflowId: string;
  /** Its run id. */
  readonly runId: string;
  /** Temporal's status of the run, such as `RUNNING`, `COMPLETED` or `FAILED`. */
  readonly status: string;
  /** When it was started. */
  readonly startedAt: Date;
  /** Null while the run is open. */
  readonly closedAt: Date | null;
  /** Where the run is, or how it ended; null for runs that were started without search attributes. */
  readonly state: JobState | null;
  /**
   * The provider's id of the job; null before it is created, for bulk batches, and for runs that were started without
   * search attributes, unless the account is watched and the job is open.
   */
  readonly jobId: string | null;
  /** Null where it is not known, or the run was started without search attributes. */
  readonly model: string | null;
  /** What was seen last of its job; null where the account is not watched, and for jobs that have ended. */
  readonly job: ListedJob | null;
}

/** The job of a run, as the watch of its account saw it last. */
export interface ListedJob {
  /** Id of the job at the provider. */
  readonly id: string;
  /** The provider's status. */
  readonly status: string;
  /** Null for fine-tuning jobs, and before the provider counts. */
  readonly counts: RequestCounts | null;
  /** Null for batches, and before training starts. */
  readonly steps: TrainingSteps | null;
  /** Epoch seconds. */
  readonly lastCheckedAt: number;
}

/** A list was asked for by what only search attributes tell, and the namespace has none. */
export class NoSearchAttributesError extends Error {
  override readonly name = 'NoSearchAttributesError';

  constructor(namespace: string) {
    super(
      `the namespace "${namespace}" has no search attributes of LLM jobs, so runs cannot be listed by state or model. ` +
        'Register them with `llm-jobs setup`',
    );
  }
}

/**
 * Asks visibility for the runs, newest first, and each watch of the task queue once. No run and no provider is asked.
 *
 * @throws NoSearchAttributesError
 */
export async function* listRuns(client: Client, taskQueue: string, options: ListOptions): AsyncGenerator<ListedRun> {
  const { kinds = Object.keys(TYPES) as RunKind[], states, model } = options;
  if ((states ?? model) !== undefined && !(await hasSearchAttributes(client))) {
    throw new NoSearchAttributesError(client.options.namespace);
  }
  if (kinds.length === 0 || states?.length === 0) return;
  const queue = `TaskQueue = ${quoted(taskQueue)}`;
  const jobs = await watchedJobs(client, queue);
  for await (const run of client.workflow.list({ query: queryOf(kinds, queue, options) })) {
    const { type, workflowId, runId, status, startTime, closeTime, typedSearchAttributes } = run;
    const kind = kinds.find((candidate) => TYPES[candidate] === type);
    if (kind === undefined) continue;
    const isOpen = closeTime === undefined;
    const state = typedSearchAttributes.get(SEARCH_ATTRIBUTES.status);
    const job = isOpen ? (jobs.get(workflowId) ?? null) : null;
    yield {
      kind,
      workflowId,
      runId,
      status: status.name,
      startedAt: startTime,
      closedAt: closeTime ?? null,
      state: JOB_STATES.find((each) => each === state) ?? null,
      jobId: job?.id ?? typedSearchAttributes.get(SEARCH_ATTRIBUTES.id) ?? null,
      model: typedSearchAttributes.get(SEARCH_ATTRIBUTES.model) ?? null,
      job,
    };
  }
}

function queryOf(kinds: readonly RunKind[], queue: string, { onlyOpen = true, states, model }: ListOptions): string {
  const oneOf = (name: string, values: readonly string[]) => `${name} IN (${values.map(quoted).join(', ')})`;
  return [
    oneOf(
      'WorkflowType',
      kinds.map((kind) => TYPES[kind]),
    ),
    queue,
    ...(onlyOpen ? ['CloseTime IS NULL'] : []),
    ...(states ? [oneOf(SEARCH_ATTRIBUTES.status.name, states)] : []),
    ...(model === undefined ? [] : [`${SEARCH_ATTRIBUTES.model.name} = ${quoted(model)}`]),
  ].join(' AND ');
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** By the workflow id of the run that follows the job. */
async function watchedJobs(client: Client, queue: string): Promise<Map<string, ListedJob>> {
  const jobs = new Map<string, ListedJob>();
  const query = `WorkflowType = '${WATCH_ACCOUNT}' AND ${queue} AND CloseTime IS NULL`;
  for await (const { workflowId } of client.workflow.list({ query })) {
    const { view } = await readWatch(client, workflowId);
    for (const job of view?.jobs ?? []) jobs.set(job.workflowId, listed(job, view!.at));
  }
  return jobs;
}

function listed({ id, status, counts, steps }: WatchedJob, lastCheckedAt: number): ListedJob {
  return { id, status, counts, steps, lastCheckedAt };
}
