import { notFoundFor } from './api-error.js';
import type { StoredRecord } from './record-store.js';
import type { ApiCall } from './server/endpoint.js';

/** How reads of a job may mislead, the same for batches and fine-tuning jobs. */
export interface ReadScenario<Status extends string> {
  /** From this status on, the job is a 404 for every request and absent from lists. */
  readonly vanishIn?: Status;
  /** The job vanishes this long after its creation. */
  readonly vanishAfterMs?: number;
  /** How many reads show the job's first state again, after a read has shown a later one. @default 0 */
  readonly staleReads?: number;
  /** An undocumented status, shown in place of a real one. */
  readonly foreignStatus?: {
    readonly status: string;
    readonly insteadOf: Status;
    /** How many reads show it. @default all reads in that status */
    readonly reads?: number;
  };
}

/** The reads of one job that its scenario has counted. Only the retrieve endpoint counts. */
export interface ReadCounters {
  stale: number;
  foreign: number;
}

/** The transitions that have happened at `now`. Never empty. */
export function passedTransitions<T extends { readonly at: number }>(transitions: readonly T[], now: number): T[] {
  const passed = transitions.filter(({ at }) => at <= now);
  // A test may set its clock back to before the creation.
  return passed.length > 0 ? passed : transitions.slice(0, 1);
}

interface ReadRecord<Status extends string> {
  readonly scenario: ReadScenario<Status>;
  readonly createdAt: number;
  readonly reads: ReadCounters;
}

/**
 * What a read of a job returns under its scenario; undefined for a job that has vanished.
 *
 * @param entered all statuses of the job so far
 * @param objectAt the job as it is at a time
 */
export function misleadingRead<Status extends string, T extends { readonly status: Status }>(
  record: ReadRecord<Status>,
  entered: readonly Status[],
  { now, counted }: { now: number; counted: boolean },
  objectAt: (time: number) => T,
): T | undefined {
  if (hasVanished(record, entered, now)) return undefined;
  const stale = counted && entered.length > 1 && isStale(record);
  const job = objectAt(stale ? record.createdAt : now);
  // The type of a status does not include a foreign one, on purpose: a client does not know it either.
  return { ...job, status: (foreignStatusOf(record, job.status, counted) ?? job.status) as Status };
}

function hasVanished<Status extends string>(
  { scenario: { vanishIn, vanishAfterMs }, createdAt }: ReadRecord<Status>,
  entered: readonly Status[],
  now: number,
): boolean {
  if (vanishIn !== undefined && entered.includes(vanishIn)) return true;
  return vanishAfterMs !== undefined && now - createdAt >= vanishAfterMs;
}

/** Counts a read of a job that has left its first state. */
function isStale<Status extends string>({ scenario, reads }: ReadRecord<Status>): boolean {
  if (scenario.staleReads === undefined) return false;
  reads.stale += 1;
  // The first read shows the truth, so that the next ones are seen to step back.
  return reads.stale > 1 && reads.stale <= 1 + scenario.staleReads;
}

function foreignStatusOf<Status extends string>(
  { scenario: { foreignStatus }, reads }: ReadRecord<Status>,
  status: Status,
  counted: boolean,
): string | undefined {
  if (foreignStatus === undefined || foreignStatus.insteadOf !== status) return undefined;
  if (reads.foreign >= (foreignStatus.reads ?? Infinity)) return undefined;
  if (counted) reads.foreign += 1;
  return foreignStatus.status;
}

/**
 * Finds the job of a call, and what the call shows of it.
 *
 * @param show returns undefined for a job that has vanished
 * @throws the API's 404
 */
export function findShown<T extends StoredRecord>(
  records: { find: (id: string) => T | undefined },
  call: ApiCall,
  show: (record: T, options: { counted: boolean }) => unknown,
): { record: T; shown: unknown } {
  const record = records.find(call.id ?? '');
  const counted = call.operation === 'batches.retrieve' || call.operation === 'fineTuning.retrieve';
  const shown = record === undefined ? undefined : show(record, { counted });
  if (record === undefined || shown === undefined) throw notFoundFor(call);
  return { record, shown };
}
