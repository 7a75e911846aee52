/** The connection of a command to Temporal, and the runs that it names. */
import { Client, Connection, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { temporalTarget } from '../client/connection.js';
import type { BatchRun, BulkBatchRun, FineTuningRun } from '../client/handles.js';
import type { RunKind } from '../client/list-runs.js';
import { LlmJobsClient } from '../client/llm-jobs-client.js';
import { isPolled } from '../temporal/task-queue.js';
import { CommandError, EXIT_CODES } from './io.js';
import type { Shown } from './progress-text.js';

const CONNECT_MS = 5_000;
/** How long a run may take to answer a query: a worker has to replay it first. */
const ANSWER_MS = 10_000;
/** How long an update may take that asks the provider. The run itself gives up after two minutes. */
export const UPDATE_MS = 150_000;

export interface Session {
  readonly jobs: LlmJobsClient;
  /** Of the Temporal server. */
  readonly address: string;
  readonly close: () => Promise<void>;
}

/** @throws CommandError if the server does not answer within seconds */
export async function connect(taskQueue: string): Promise<Session> {
  const { connectionOptions, address, namespace } = temporalTarget();
  try {
    const connection = await Connection.connect({ ...connectionOptions, connectTimeout: CONNECT_MS });
    const jobs = new LlmJobsClient(new Client({ connection, namespace }), { taskQueue });
    return { jobs, address, close: () => connection.close() };
  } catch (error) {
    const message = `no Temporal server answers at ${address} within ${CONNECT_MS / 1_000} s`;
    const next = 'Set TEMPORAL_ADDRESS, or start a server on this machine: temporal server start-dev';
    throw new CommandError(EXIT_CODES.unreachable, message, next, error);
  }
}

interface FoundRun {
  /** Temporal's status. */
  readonly status: string;
  readonly taskQueue: string;
}

export type NamedRun = FoundRun &
  (
    | { readonly kind: 'batch'; readonly run: BatchRun }
    | { readonly kind: 'bulkBatch'; readonly run: BulkBatchRun }
    | { readonly kind: 'fineTuning'; readonly run: FineTuningRun }
  );

const KINDS: Readonly<Record<string, RunKind>> = {
  runBatch: 'batch',
  runBulkBatch: 'bulkBatch',
  runFineTuning: 'fineTuning',
};

/** Temporal has no run of the workflow id. */
export class NoSuchRunError extends CommandError {}

/** @throws NoSuchRunError; CommandError for a run of other code */
export async function runOf({ jobs }: Session, workflowId: string): Promise<NamedRun> {
  const { type, ...found } = await describe(jobs, workflowId);
  const kind = KINDS[type];
  if (kind === 'batch') return { ...found, kind, run: jobs.batch(workflowId) };
  if (kind === 'bulkBatch') return { ...found, kind, run: jobs.bulkBatch(workflowId) };
  if (kind === 'fineTuning') return { ...found, kind, run: jobs.fineTuning(workflowId) };
  const message = `the run "${workflowId}" is of the type ${type}, which is none of this library's jobs`;
  throw new CommandError(EXIT_CODES.notFound, message, LIST_THEM);
}

export const LIST_THEM = 'To see the runs of the task queue: llm-jobs list --all';

async function describe({ client }: LlmJobsClient, workflowId: string) {
  try {
    const { type, status, taskQueue } = await client.workflow.getHandle(workflowId).describe();
    return { type, status: status.name, taskQueue };
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    const message = `no run has the workflow id "${workflowId}" in the namespace "${client.options.namespace}"`;
    // Temporal removes ended runs after the retention of the namespace.
    const next = `${LIST_THEM}. Of a run that Temporal has removed: llm-jobs results ${workflowId}`;
    throw new NoSuchRunError(EXIT_CODES.notFound, message, next, error);
  }
}

/** What to do where no worker polls a task queue; null where one does. */
export async function adviceOnWorkers({ jobs }: Session, taskQueue: string): Promise<string | null> {
  if (await isPolled(jobs.client, taskQueue)) return null;
  return `No worker polls the task queue "${taskQueue}". Start one: llm-jobs worker`;
}

/**
 * What only a worker can answer.
 *
 * @throws CommandError at once if no worker polls the task queue of the run, or if none answers within seconds
 */
export async function answerOf<T>(
  { jobs }: Session,
  named: NamedRun,
  ask: () => Promise<T>,
  withinMs = ANSWER_MS,
): Promise<T> {
  const { taskQueue } = named;
  if (await isPolled(jobs.client, taskQueue)) return answerWithin(jobs, named, ask, withinMs);
  throw new CommandError(EXIT_CODES.unreachable, `no worker polls the task queue "${taskQueue}"`, START_ONE);
}

/** @throws CommandError if no worker answers in time */
async function answerWithin<T>(
  { client }: LlmJobsClient,
  { taskQueue }: NamedRun,
  ask: () => Promise<T>,
  withinMs: number,
): Promise<T> {
  try {
    return await client.withDeadline(Date.now() + withinMs, ask);
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    const message = `no worker answers on the task queue "${taskQueue}" within ${withinMs / 1_000} s`;
    throw new CommandError(EXIT_CODES.unreachable, message, START_ONE, error);
  }
}

/** The progress of a run whose worker may be missing. @throws CommandError if none answers within seconds */
export async function progressOf({ jobs }: Session, named: NamedRun): Promise<Shown['progress']> {
  return answerWithin<Shown['progress']>(jobs, named, () => named.run.progress(), ANSWER_MS);
}

const START_ONE = 'Start one: llm-jobs worker';

/** GRPC's `CANCELLED`, `DEADLINE_EXCEEDED`, `FAILED_PRECONDITION` (no poller was seen lately) and `UNAVAILABLE`. */
const NOT_ANSWERED: readonly unknown[] = [1, 4, 9, 14];

/** Whether a question to a run failed because no worker took it. */
function isUnanswered(error: unknown): boolean {
  const { cause } = error as { readonly cause?: unknown };
  return [error, cause].some((each) => isGrpcServiceError(each) && NOT_ANSWERED.includes(each.code));
}
