/** What `llm-jobs adopt` does: an activity without a workflow follows the batch, so that no process must stay for it. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ActivityExecutionAlreadyStartedError,
  ActivityNotFoundError,
  ApplicationFailure,
  isGrpcServiceError,
  type ActivityExecutionDescription,
  type ActivityHandle,
  type ActivityOptions,
} from '@temporalio/client';
import { z } from 'zod';
import { MAX_OUTAGE, throughOutages } from '../client/outage.js';
import type { CollectBatchByIdInput, OperatorActivities } from '../contract/activities/operators.js';
import { batchResultSchema, type BatchResult } from '../contract/batch.js';
import { toMs } from '../contract/duration.js';
import { FAILURES, type FailureType } from '../contract/failures.js';
import { idSchema } from '../contract/spec-fields.js';
import { DEFAULT_ACCOUNT } from '../config/schema.js';
import { openOwnerOf } from '../orphans/find-owner.js';
import { accountOf, asked } from './ask-account.js';
import { CommandError, EXIT_CODES, type Io } from './io.js';
import { countsText } from './progress-text.js';
import { inSession, type CommonOptions } from './run-actions.js';
import { fileText } from './run-result.js';
import { adviceOnWorkers, type Session } from './session.js';

export interface AdoptOptions extends CommonOptions {
  /** @default 'default' */
  readonly provider?: string;
}

const ASK_EVERY_MS = 2_000;

/** GRPC's `UNIMPLEMENTED`. */
const UNIMPLEMENTED = 12;

const ACTIVITY: keyof OperatorActivities = 'collectBatch';

/**
 * As for the activities of workflows: a dead worker is noticed soon, and each look is an attempt whose failure says when
 * the next one is due, so that the interval of those that never ended must not grow.
 */
const PATIENT = {
  startToCloseTimeout: '12h',
  heartbeatTimeout: '15s',
  retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '10s' },
  // What was collected is not collected again: the provider may have deleted its files in the meantime.
  idReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
  idConflictPolicy: 'USE_EXISTING',
} as const satisfies Partial<ActivityOptions>;

/** Follows a batch to its end, and prints where its results are. */
export async function adopt(io: Io, batchId: string, options: AdoptOptions): Promise<void> {
  const { error } = idSchema.safeParse(batchId);
  if (error) throw new CommandError(EXIT_CODES.usage, `the id ${error.issues[0]?.message}`, 'Such as batch_abc123');
  const provider = options.provider ?? DEFAULT_ACCOUNT;
  await inSession(options, async (session) => {
    const activity = new Adoption(session, batchId, provider);
    if (!(await activity.isThere())) {
      await assertUnfollowed(session, batchId, { ...options, provider });
      await activity.start();
    }
    const advice = await adviceOnWorkers(session, session.jobs.taskQueue);
    if (advice !== null) io.err(advice);
    const result = await activity.result((text) => io.err(text));
    const lines = options.json ? [JSON.stringify(result)] : adoptedText(batchId, result);
    for (const line of lines) io.out(line);
  });
}

/** @throws CommandError if a run follows the batch, or the provider does not tell */
async function assertUnfollowed({ jobs }: Session, batchId: string, options: AdoptOptions): Promise<void> {
  const owner = await asked(await accountOf(options), (openai) => openOwnerOf(jobs.client, openai, batchId));
  if (owner === null) return;
  const { workflowId } = owner;
  const message = `the run "${workflowId}" follows ${batchId}, and will collect its results`;
  throw new CommandError(EXIT_CODES.refused, message, `To follow that run: llm-jobs watch ${workflowId}`);
}

/** The activity that follows one batch. Its id is made of the batch's, so that there is one for all commands. */
class Adoption {
  readonly #session: Session;
  readonly #input: CollectBatchByIdInput & object;
  readonly #id: string;

  constructor(session: Session, batchId: string, provider: string) {
    this.#session = session;
    this.#input = { id: batchId, provider };
    this.#id = `adopt/${provider}/${batchId}`;
  }

  get #handle(): ActivityHandle {
    return this.#session.jobs.client.activity.getHandle(this.#id);
  }

  /** Whether it runs, or has collected the batch. */
  async isThere(): Promise<boolean> {
    try {
      const { status } = await this.#handle.describe();
      return isOpen(status) || status === 'COMPLETED';
    } catch (error) {
      if (error instanceof ActivityNotFoundError) return false;
      throw understood(error);
    }
  }

  async start(): Promise<void> {
    const { client, taskQueue } = this.#session.jobs;
    const start = () =>
      client.activity.start(ACTIVITY, {
        ...PATIENT,
        id: this.#id,
        taskQueue,
        summary: `Follow ${this.#input.id} and collect its results`,
        args: [this.#input],
      });
    try {
      await throughOutages(start, toMs(MAX_OUTAGE));
    } catch (error) {
      // Another command has started it, and it has ended since.
      if (!(error instanceof ActivityExecutionAlreadyStartedError)) throw understood(error);
    }
  }

  /**
   * Waits for its end.
   *
   * @param say is told whatever has changed
   * @throws CommandError if it failed
   */
  async result(say: (text: string) => void): Promise<BatchResult> {
    const look = { includeLastFailure: true, includeOutcome: true };
    for (let last = ''; ; await sleep(ASK_EVERY_MS)) {
      const seen = await throughOutages(() => this.#handle.describe(look), toMs(MAX_OUTAGE));
      if (!isOpen(seen.status)) return this.#outcome(seen);
      const text = await stateText(seen);
      if (text !== null && text !== last) say(text);
      last = text ?? last;
    }
  }

  async #outcome(ended: ActivityExecutionDescription): Promise<BatchResult> {
    if (ended.status === 'COMPLETED') return batchResultSchema.parse(await ended.getResult());
    const failure = await ended.getOutcomeFailure();
    const again = `To begin again: llm-jobs adopt ${this.#input.id}`;
    if (!(failure instanceof ApplicationFailure)) {
      throw new CommandError(
        EXIT_CODES.failed,
        `the activity "${this.#id}" ended as ${ended.status.toLowerCase()}`,
        again,
        failure,
      );
    }
    const { type, message } = failure;
    const next = Object.hasOwn(FAILURES, type ?? '') ? FAILURES[type as FailureType].next : again;
    throw new CommandError(EXIT_CODES.failed, `${type}: ${message}`, next, failure);
  }
}

const isOpen = (status: string): boolean => status === 'RUNNING' || status === 'PAUSED';

const seenSchema = z.object({
  status: z.string(),
  counts: z.object({ total: z.number(), completed: z.number(), failed: z.number() }).nullish(),
});

/** The provider's status as it was seen last, or what is refused; null before the first look. */
async function stateText(seen: ActivityExecutionDescription): Promise<string | null> {
  if (seen.status === 'PAUSED') return 'paused: in the Temporal UI, or by the temporal CLI, the activity can go on';
  const failure = await seen.getLastFailure();
  if (!(failure instanceof ApplicationFailure)) return failure?.message ?? null;
  const news = failure.type === 'NothingNew' ? seenSchema.safeParse(failure.details?.[0]).data : undefined;
  if (!news) return `${failure.type}: ${failure.message}`;
  const { status, counts } = news;
  return counts && counts.total > 0 ? `${status}  ${countsText(counts)}` : status;
}

/** An older server knows no activity without a workflow. */
function understood(error: unknown): unknown {
  const { cause } = error as { readonly cause?: unknown };
  const isUnknown = [error, cause].some((each) => isGrpcServiceError(each) && (each.code as number) === UNIMPLEMENTED);
  if (!isUnknown) return error;
  const message = 'this Temporal server runs no activities without a workflow';
  return new CommandError(EXIT_CODES.refused, message, 'Upgrade it, or enable standalone activities.', error);
}

function adoptedText(batchId: string, result: BatchResult): string[] {
  const { status, lines, output, errors, warnings } = result;
  const rows: [string, string | null][] = [
    ['status', status],
    [
      'requests',
      Object.entries(lines)
        .map(([name, count]) => `${count} ${name}`)
        .join(', '),
    ],
    ['output', fileText(output)],
    ['errors', fileText(errors)],
    ...warnings.map((warning): [string, string] => ['warning', warning]),
  ];
  const shown = rows.filter(([, text]) => text !== null).map(([name, text]) => `  ${name.padEnd(9)} ${text}`);
  return [`${batchId} has ended, and its results are in the storage`, ...shown];
}
