/** The runs of the parts of a bulk batch: start them, and notice those that end without a word. */
import { activityInfo, getClient } from '@temporalio/activity';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { accountWatchId } from '../contract/account-watch.js';
import type { PartRunActivities, StartedPart, StartPartInput } from '../contract/activities/part-runs.js';
import { batchResultSchema, type BatchProgress, type BatchResult } from '../contract/batch.js';
import { ORIGIN, type Origin } from '../contract/job-key.js';
import {
  PART_OF,
  reportOfFailure,
  reportOfResult,
  type EndReport,
  type OpenParts,
  type PartOf,
  type PartReport,
  type RunFailure,
} from '../contract/part-report.js';
import { readWatch } from '../temporal/account-view.js';
import { askRun } from '../temporal/ask-run.js';
import { isOpenRun } from '../temporal/server.js';
import { budgetWorkflowId, leaseOf, type LeaseAnswer } from '../contract/token-budget.js';
import type { AnsweredSoFar } from '../contract/progress.js';
import type { RequestCounts } from '../contract/snapshots.js';
import { attributePairs, type StartAttributes } from '../contract/search-attributes.js';
import { inSummary } from '../contract/text.js';
import { readManifest } from '../results/read-manifest.js';
import type { Storage } from '../storage/storage.js';
import { nothingNew } from './calls/nothing-new.js';
import { batchIdOfRun, whichHaveEnded } from './calls/runs.js';
import type { ActivityContext } from './runtime/context.js';

/** Until the next look, which grows with the number of looks. */
const FIRST_LOOK_MS = 3_000;
const LOOK_GROWTH = 1.5;
const LONGEST_LOOK_MS = 10 * 60_000;

/** So many runs are asked what they wait for. */
const MAX_ASKED = 3;

const CANCEL_REASON = 'another bulk batch was started under the same workflow id';

export class PartRunActivityGroup implements PartRunActivities {
  readonly #storage: Storage;

  constructor({ storage }: ActivityContext) {
    this.#storage = storage;
  }

  async startPart(input: StartPartInput): Promise<StartedPart> {
    try {
      await start(input, 'REJECT_DUPLICATE');
      return { kind: 'started' };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    const handle = getClient().workflow.getHandle(input.workflowId);
    const run = await handle.describe();
    const isOpen = isOpenRun(run.status.name);
    const isOwn = (run.memo?.[ORIGIN] as Origin | undefined)?.runId === input.origin.runId;
    if (isOpen && isOwn) return { kind: 'started' };
    if (isOpen) {
      await handle.signal('cancel', CANCEL_REASON);
      return { kind: 'occupied' };
    }
    if (isOwn && run.status.name === 'COMPLETED') {
      const result = batchResultSchema.safeParse(await handle.result()).data;
      if (result && result.status !== 'cancelled') return { kind: 'ended', report: reportOfResult(result) };
    }
    // Its batch, if there is one, is found by its key.
    const origin = isOwn ? { ...input.origin, mayExist: true } : input.origin;
    await start({ ...input, origin }, 'ALLOW_DUPLICATE');
    return { kind: 'started' };
  }

  async countParts({ provider, prefix }: { provider: string; prefix: string }): Promise<AnsweredSoFar | null> {
    const { view } = await readWatch(getClient(), accountWatchId(activityInfo().taskQueue, provider));
    const counts = view?.jobs.flatMap((job) => (job.workflowId.startsWith(prefix) && job.counts ? [job.counts] : []));
    if (!view || !counts || counts.length === 0) return null;
    const sum = (key: keyof RequestCounts) => counts.reduce((total, count) => total + count[key], 0);
    return { total: sum('total'), completed: sum('completed'), failed: sum('failed'), asOf: view.at };
  }

  async awaitEnd(input: { workflowId: string }): Promise<void> {
    const [ended] = await whichHaveEnded([{ holder: input.workflowId }]);
    if (ended) return;
    throw notYet(`${input.workflowId} is still running`);
  }

  async watchParts(): Promise<never> {
    // Runs have just been started, or have a report under way.
    if (activityInfo().attempt === 1) throw notYet('not looked yet');
    const bulk = getClient().workflow.getHandle(activityInfo().workflowExecution!.workflowId);
    const parts = await askRun<OpenParts>(getClient(), bulk.workflowId, 'openParts');
    const { origin, resultsUri, runs } = parts;
    const open: [name: string, workflowId: string][] = [];
    for (const [name, workflowId] of Object.entries(runs)) {
      const run = await getClient().workflow.getHandle(workflowId).describe();
      if (isOpenRun(run.status.name)) {
        open.push([name, workflowId]);
        continue;
      }
      const end = await endOf(this.#storage, workflowId, resultsUri);
      await bulk.signal('partEnded', { ...end, name, origin } satisfies PartReport);
    }
    const { waitingFor, batches } = await stateOf(open, parts.provider);
    const isNew = open.some(([name]) => (batches[name] ?? parts.batches[name]) !== parts.batches[name]);
    if (isNew || waitingFor !== parts.waitingFor) await bulk.signal('partsWait', waitingFor, batches);
    throw notYet(`${open.length} runs of parts are open`);
  }
}

async function start(
  { workflowId, name, origin, bulkRun, summary, spec, checked, hasAttributes }: StartPartInput,
  workflowIdReusePolicy: NonNullable<WorkflowStartOptions['workflowIdReusePolicy']>,
): Promise<void> {
  const { taskQueue, workflowExecution } = activityInfo();
  const bulk = workflowExecution!.workflowId;
  const partOf: PartOf = { bulk, bulkRun, name };
  const attributes: StartAttributes = {
    kind: 'part',
    status: 'preparing',
    model: checked.model,
    provider: spec.provider ?? null,
  };
  await getClient().workflow.start('runBatch', {
    workflowId,
    taskQueue,
    args: [spec, checked],
    memo: { [ORIGIN]: origin, [PART_OF]: partOf },
    staticSummary: inSummary(summary),
    staticDetails: `A part of the bulk batch \`${bulk}\`, to which it reports its end.`,
    ...(hasAttributes && { typedSearchAttributes: attributePairs(attributes) }),
    workflowIdReusePolicy,
    workflowIdConflictPolicy: 'FAIL',
  });
}

/** The report of a run that has ended, as it would have sent it. */
async function endOf(storage: Storage, workflowId: string, resultsUri: string): Promise<EndReport> {
  try {
    const result = await getClient().workflow.getHandle(workflowId).result();
    return reportOfResult(batchResultSchema.parse(result));
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    if (cause instanceof ApplicationFailure) {
      const [details] = (cause.details ?? []) as [RunFailure['details']?];
      return reportOfFailure({ type: cause.type ?? 'UnexpectedError', message: cause.message, details: details ?? {} });
    }
    const manifest = await manifestOf(storage, workflowId, resultsUri);
    const message = `the run was ended from outside: ${cause?.message ?? error.message}`;
    return reportOfFailure({ type: typeOfOperatorEnd(cause), message, details: {} }, manifest);
  }
}

function typeOfOperatorEnd(cause: Error | undefined): string {
  if (cause instanceof CancelledFailure) return 'Cancelled';
  if (cause instanceof TerminatedFailure) return 'Terminated';
  return cause instanceof TimeoutFailure ? 'TimedOut' : 'Failed';
}

/**
 * The result that a run had written before it was cancelled or terminated; null if there is none, or an incomplete one.
 */
async function manifestOf(storage: Storage, workflowId: string, resultsUri: string): Promise<BatchResult | null> {
  const batchId = await batchIdOfRun(workflowId);
  if (batchId === null) return null;
  // That of a batch without a terminal status is none: such a batch may still be running.
  const manifest = await readManifest(storage, batchId, resultsUri);
  return manifest?.kind === 'batch' ? manifest.result : null;
}

/** Ids that are told at a time: more are not shown. */
const MAX_TOLD = 20;

/** What the first of the runs wait for, null if nothing or if they do not answer; and the ids of batches by name. */
async function stateOf(
  open: readonly (readonly [name: string, workflowId: string])[],
  provider: string,
): Promise<Pick<OpenParts, 'waitingFor' | 'batches'>> {
  const client = getClient();
  const { view } = await readWatch(client, accountWatchId(activityInfo().taskQueue, provider));
  const watched = new Map(view?.jobs.map(({ workflowId, id }) => [workflowId, id]));
  const batches: Record<string, string> = {};
  const told = open.slice(0, MAX_TOLD);
  for (const [name, workflowId] of told) if (watched.has(workflowId)) batches[name] = watched.get(workflowId)!;
  for (const [name, workflowId] of told.slice(0, MAX_ASKED)) {
    const progress = await askRun<BatchProgress>(client, workflowId, 'progress').catch(() => null);
    if (progress?.jobId) batches[name] = progress.jobId;
    if (!progress?.waitingFor) continue;
    return { waitingFor: (await roomFor(workflowId, provider)) ?? progress.waitingFor, batches };
  }
  return { waitingFor: null, batches };
}

/** What the token budget says of a part that waits for room; null where it does not, or does not answer. */
async function roomFor(workflowId: string, provider: string): Promise<string | null> {
  const client = getClient();
  const budget = budgetWorkflowId(activityInfo().taskQueue, provider);
  const ask = async () => {
    const { raw, runId } = await client.workflow.getHandle(workflowId).describe();
    const firstRun = raw.workflowExecutionInfo?.firstRunId || runId;
    return askRun<LeaseAnswer>(client, budget, 'lease', leaseOf(workflowId, firstRun));
  };
  const answer = await ask().catch(() => null);
  return answer?.waitsFor ?? null;
}

function notYet(what: string): ApplicationFailure {
  const { attempt, currentAttemptScheduledTimestampMs: now } = activityInfo();
  const delayMs = Math.min(FIRST_LOOK_MS * LOOK_GROWTH ** (attempt - 1), LONGEST_LOOK_MS);
  return nothingNew(what, { status: 'running', checkedAt: Math.floor(now / 1_000) }, delayMs);
}
