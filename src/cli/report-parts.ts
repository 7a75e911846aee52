/** The parts of a bulk batch over time: what Temporal knows of their runs, and what the bulk batch has written of them. */
import { WorkflowFailedError, type WorkflowExecutionInfo } from '@temporalio/client';
import { JobFailedError } from '../client/job-failed-error.js';
import type { BatchProgress } from '../contract/batch.js';
import type { BulkBatchResult } from '../contract/bulk-batch.js';
import type { FileRef } from '../contract/file-ref.js';
import type { PartOutcome } from '../contract/part.js';
import {
  outcomeOf,
  PART_OF,
  reportOfFailure,
  reportOfResult,
  type EndReport,
  type OpenParts,
  type PartOf,
  type RunFailure,
} from '../contract/part-report.js';
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.js';
import { lineBlocks } from '../jsonl/lines.js';
import { PART_STATES, type PartState, type ReportedPart } from '../report/report.js';
import { readChecked } from '../storage/checked-file.js';
import type { Storage } from '../storage/storage.js';
import { askRun } from '../temporal/ask-run.js';
import { isOpenRun } from '../temporal/server.js';
import type { NamedRun, Session } from './session.js';

export type NamedBulk = NamedRun & { readonly kind: 'bulkBatch' };

/** Runs that are asked, one by one, for what the bulk batch has not written yet. */
const MAX_ASKED = 200;
const ASKED_AT_A_TIME = 10;

/** Longer ids of runs are cut, so only the beginning is looked for. */
const PREFIX_LENGTH = 200;

/** @param open what the bulk batch says of its open parts; null where it does not answer */
export async function partsOf(
  session: Session,
  bulk: NamedBulk,
  { result, open, storage }: { result: BulkBatchResult | null; open: OpenParts | null; storage: Storage },
): Promise<ReportedPart[]> {
  const runs = await runsOfParts(session, bulk);
  const outcomes = new Map<string, PartOutcome>();
  for (const outcome of result?.parts ? await outcomesIn(storage, result.parts) : []) {
    outcomes.set(keyOf(outcome), outcome);
  }
  const lastAttempts = new Map(runs.map((run) => [keyOf(run), run.attempt]));
  const parts = runs.map((run): KnownPart => {
    const isLast = lastAttempts.get(keyOf(run)) === run.attempt;
    return { ...run, outcome: isLast ? (outcomes.get(keyOf(run)) ?? null) : null, batchId: null };
  });
  await askHowTheyEnded(session, parts);
  if (open !== null) await askForBatches(session, parts, open);
  const withoutRun = [...outcomes.values()].filter((outcome) => !lastAttempts.has(keyOf(outcome)));
  return [...parts.map((part) => reportedRun(part, open)), ...withoutRun.map(withoutTimes)].toSorted(byNumber);
}

/** The same where Temporal no longer knows the runs. */
export async function partsIn(storage: Storage, file: FileRef): Promise<ReportedPart[]> {
  return (await outcomesIn(storage, file)).map(withoutTimes);
}

function withoutTimes(outcome: PartOutcome): ReportedPart {
  return { ...reportedOutcome(outcome), attempt: 1, startedAt: null, endedAt: null };
}

interface Numbered {
  readonly round: number;
  readonly part: number;
}

/** The run of one attempt of a part. */
interface PartRun extends Numbered {
  readonly name: string;
  readonly attempt: number;
  readonly run: WorkflowExecutionInfo;
}

/** With what was found out of it. */
interface KnownPart extends PartRun {
  outcome: PartOutcome | null;
  /** As the run tells it; null where it was not asked. */
  batchId: string | null;
}

const keyOf = ({ round, part }: Numbered): string => `${round}-${part}`;

const byNumber = (a: Numbered & { attempt: number }, b: Numbered & { attempt: number }): number =>
  a.round - b.round || a.part - b.part || a.attempt - b.attempt;

/** By round, part and attempt. An earlier bulk batch of the same workflow id had runs, too. */
async function runsOfParts({ jobs: { client } }: Session, { run: bulk }: NamedBulk): Promise<PartRun[]> {
  const { raw, runId } = await bulk.handle.describe();
  const first = raw.workflowExecutionInfo?.firstRunId || runId;
  const prefix = `${bulk.workflowId}/`.slice(0, PREFIX_LENGTH).replaceAll("'", "''");
  const runs: PartRun[] = [];
  for await (const run of client.workflow.list({
    query: `WorkflowType = 'runBatch' AND WorkflowId STARTS_WITH '${prefix}'`,
  })) {
    const of = run.memo?.[PART_OF] as PartOf | undefined;
    const [, round, part, attempt = '1'] = /^r(\d+)-p(\d+)(?:\.(\d+))?$/.exec(of?.name ?? '') ?? [];
    if (of?.bulkRun !== first || round === undefined || part === undefined) continue;
    runs.push({ name: of.name, round: Number(round), part: Number(part), attempt: Number(attempt), run });
  }
  return runs.toSorted(byNumber);
}

async function outcomesIn(storage: Storage, file: FileRef): Promise<PartOutcome[]> {
  const outcomes: PartOutcome[] = [];
  for await (const lines of lineBlocks(readChecked(storage, file))) {
    for (const line of lines) outcomes.push(JSON.parse(line.text) as PartOutcome);
  }
  return outcomes;
}

/** Fills in how runs ended of which nothing was written, for as many as are shown. */
async function askHowTheyEnded(session: Session, parts: KnownPart[]): Promise<void> {
  const unknown = parts.filter(({ outcome, run }) => outcome === null && !isOpenRun(run.status.name));
  await inTurn(unknown, async (part) => {
    const report = await endOf(session, part.run);
    if (report) part.outcome = outcomeOf(report, { ...part, model: '', requests: 0 });
  });
}

/** Does the work for as many as are shown. */
async function inTurn<T>(all: readonly T[], work: (each: T) => Promise<void>): Promise<void> {
  const asked = all.slice(0, MAX_ASKED);
  for (let from = 0; from < asked.length; from += ASKED_AT_A_TIME) {
    await Promise.all(asked.slice(from, from + ASKED_AT_A_TIME).map(work));
  }
}

/** Fills in the batches of open runs that have not told the bulk batch theirs yet, for as many as are shown. */
async function askForBatches(session: Session, parts: KnownPart[], open: OpenParts) {
  const unknown = parts.filter(({ name, run }) => isOpenRun(run.status.name) && open.batches[name] === undefined);
  await inTurn(unknown, async (part) => {
    const asked = askRun<BatchProgress>(session.jobs.client, part.run.workflowId, 'progress');
    const progress = await asked.catch(() => null);
    part.batchId = progress?.jobId ?? null;
  });
}

/** Null where the run was ended by an operator. */
async function endOf({ jobs }: Session, { workflowId, runId }: WorkflowExecutionInfo): Promise<EndReport | null> {
  try {
    return reportOfResult(await jobs.batch(workflowId, runId).result());
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    if (!(error instanceof JobFailedError)) return null;
    const { type, cause, details = {} } = error;
    return reportOfFailure({ type, message: cause?.message ?? '', details: details as RunFailure['details'] });
  }
}

function reportedRun(part: KnownPart, open: OpenParts | null): ReportedPart {
  const { round, part: number, attempt, name, run, outcome } = part;
  const { startTime, closeTime, typedSearchAttributes } = run;
  const known = outcome && reportedOutcome(outcome);
  const attribute = (field: 'id' | 'model') => typedSearchAttributes.get(SEARCH_ATTRIBUTES[field]) ?? null;
  return {
    round,
    part: number,
    attempt,
    // Lists of runs may lag behind what the bulk batch has written.
    state: known?.state ?? stateOf(run),
    batchId: known?.batchId ?? open?.batches[name] ?? part.batchId ?? attribute('id'),
    model: known?.model ?? attribute('model'),
    lines: known?.lines ?? null,
    failure: known?.failure ?? null,
    startedAt: startTime.getTime() / 1_000,
    endedAt: closeTime ? closeTime.getTime() / 1_000 : null,
  };
}

function stateOf({ status }: WorkflowExecutionInfo): PartState {
  return isOpenRun(status.name) ? 'running' : (STATES[status.name] ?? 'failed');
}

/** By Temporal's status. All others ended without a result. */
const STATES: Readonly<Record<string, PartState>> = { COMPLETED: 'completed', CANCELLED: 'cancelled' };

function reportedOutcome({ round, part, status, batchId, model, lines, failure }: PartOutcome) {
  const state = PART_STATES.find((each) => each === status) ?? 'completed';
  return { round, part, state, batchId, model: model === '' ? null : model, lines, failure };
}
