/** What the commands do that see runs and steer them. */
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { JobFailedError } from '../client/job-failed-error.js';
import { NoSearchAttributesError, type ListedRun, type RunKind } from '../client/list-runs.js';
import type { JobState } from '../contract/search-attributes.js';
import { CommandError, EXIT_CODES, type Io } from './io.js';
import { KIND_NAMES, listText, progressText, type Shown, type ShownFailure } from './progress-text.js';
import { answerOf, connect, runOf, UPDATE_MS, type NamedRun, type Session } from './session.js';
import { commonConfig, type ConfigOptions } from './workers-storage.js';

export interface CommonOptions extends ConfigOptions {
  readonly taskQueue?: string;
  readonly json?: boolean;
}

export interface ListCommandOptions extends CommonOptions {
  readonly kind?: string;
  readonly status?: JobState;
  readonly model?: string;
  readonly all?: boolean;
  readonly limit: number;
}

export interface CancelOptions extends CommonOptions {
  readonly reason?: string;
}

export async function inSession(options: CommonOptions, use: (session: Session) => Promise<void>): Promise<void> {
  const session = await connect(options.taskQueue ?? (await commonConfig(options)).taskQueue);
  try {
    await use(session);
  } finally {
    await session.close();
  }
}

export async function list(io: Io, options: ListCommandOptions): Promise<void> {
  await inSession(options, async ({ jobs }) => {
    const kinds = Object.keys(KIND_NAMES) as RunKind[];
    const wanted = kinds.filter((kind) => options.kind === undefined || options.kind === KIND_NAMES[kind]);
    const found: ListedRun[] = [];
    const { status, model } = options;
    const onlyOpen = !options.all && status === undefined;
    const filter = { ...(status !== undefined && { states: [status] }), ...(model !== undefined && { model }) };
    try {
      for await (const each of jobs.list({ kinds: wanted, onlyOpen, ...filter })) {
        found.push(each);
        if (found.length > options.limit) break;
      }
    } catch (error) {
      if (!(error instanceof NoSearchAttributesError)) throw error;
      const next = 'To register them: llm-jobs setup';
      throw new CommandError(
        EXIT_CODES.refused,
        'runs have no search attributes, by which --status and --model look',
        next,
      );
    }
    const listed = found.slice(0, options.limit);
    if (options.json) {
      io.out(JSON.stringify(listed));
    } else if (listed.length === 0) {
      const what = Object.keys(filter).length > 0 ? 'such run' : 'run';
      io.err(`No ${what} is ${onlyOpen ? 'open' : 'known'} on the task queue "${jobs.taskQueue}".`);
    } else {
      for (const line of listText(listed, Date.now() / 1_000)) io.out(line);
    }
    if (found.length > listed.length) io.err(`There are more than ${options.limit} runs: see --limit.`);
  });
}

type Action = (session: Session, named: NamedRun) => Promise<Shown['progress']>;

const ACTIONS: Readonly<Record<'status' | 'look' | 'pause' | 'resume', Action>> = {
  status: (session, named) => answerOf<Shown['progress']>(session, named, () => named.run.progress()),
  look: (session, named) => updated<Shown['progress']>(session, named, () => named.run.look()),
  pause: (session, named) => steer(session, named, 'pause'),
  resume: (session, named) => steer(session, named, 'resume'),
};

/** Does what the command says, and prints the progress of the run after it. */
export async function showAfter(
  io: Io,
  name: keyof typeof ACTIONS,
  workflowId: string,
  options: CommonOptions,
): Promise<void> {
  await inSession(options, async (session) => {
    const named = await runOf(session, workflowId);
    const progress = await ACTIONS[name](session, named);
    const failure = named.status === 'FAILED' ? await failureOf(named) : null;
    const shown = { workflowId, kind: named.kind, runStatus: named.status, progress, failure };
    const lines = options.json ? [JSON.stringify(shown)] : progressText(shown, Date.now() / 1_000);
    for (const line of lines) io.out(line);
  });
}

async function failureOf({ run }: NamedRun): Promise<ShownFailure> {
  const error: unknown = await run.result().catch((reason: unknown) => reason);
  const message = error instanceof Error ? error.message : String(error);
  return { message, whatNext: error instanceof JobFailedError ? error.whatNext : null };
}

async function steer(session: Session, named: NamedRun, update: 'pause' | 'resume'): Promise<Shown['progress']> {
  if (named.kind === 'batch') {
    const next = `To stop it and keep its results: llm-jobs cancel ${named.run.workflowId}`;
    throw new CommandError(EXIT_CODES.refused, `a batch cannot be ${update}d: providers have no such call`, next);
  }
  const { run } = named;
  await updated(session, named, () => run[update]());
  return ACTIONS.status(session, named);
}

export async function cancel(io: Io, workflowId: string, options: CancelOptions): Promise<void> {
  await inSession(options, async (session) => {
    const named = await runOf(session, workflowId);
    await possible(named, () => named.run.cancel(options.reason));
    const text = `${workflowId}: the cancel was sent. To see it end: llm-jobs status ${workflowId}`;
    io.out(options.json ? JSON.stringify({ workflowId, cancelRequested: true }) : text);
  });
}

/** Updates ask the provider, which may take a while; that a worker is there is found out at once. */
async function updated<T>(session: Session, named: NamedRun, update: () => Promise<T>): Promise<T> {
  if (named.status === 'RUNNING') await ACTIONS.status(session, named);
  return possible(named, () => answerOf(session, named, update, UPDATE_MS));
}

/** @throws CommandError if the run has ended, or refuses */
async function possible<T>({ run: { workflowId }, status }: NamedRun, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const next = `To see its state: llm-jobs status ${workflowId}`;
    if (error instanceof WorkflowNotFoundError) {
      const message = `the run "${workflowId}" has ended (${status.toLowerCase()})`;
      throw new CommandError(EXIT_CODES.refused, message, next, error);
    }
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    throw new CommandError(EXIT_CODES.refused, reason, next, error);
  }
}
