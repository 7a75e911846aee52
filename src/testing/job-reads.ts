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

/** One read of a job. */
export interface JobRead<Status extends string> {
  readonly scenario: ReadScenario<Status>;
  readonly counters: ReadCounters;
  /** Whether the read counts. */
  readonly counted: boolean;
}

/** The transitions that have happened at `now`. Never empty. */
export function passedTransitions<T extends { readonly at: number }>(transitions: readonly T[], now: number): T[] {
  const passed = transitions.filter(({ at }) => at <= now);
  // A test may set its clock back to before the creation.
  return passed.length > 0 ? passed : transitions.slice(0, 1);
}

/** @param entered all statuses so far @param ageMs since creation */
export function hasVanished<Status extends string>(
  { vanishIn, vanishAfterMs }: ReadScenario<Status>,
  entered: readonly Status[],
  ageMs: number,
): boolean {
  return (
    (vanishIn !== undefined && entered.includes(vanishIn)) || (vanishAfterMs !== undefined && ageMs >= vanishAfterMs)
  );
}

/** Whether this read shows the job's first state again. @param moved whether the job has left its first state */
export function isStale<Status extends string>(read: JobRead<Status>, moved: boolean): boolean {
  const { scenario, counters, counted } = read;
  if (scenario.staleReads === undefined || !counted || !moved) return false;
  // The first read shows the truth, so that the next ones are seen to step back.
  counters.stale += 1;
  return counters.stale > 1 && counters.stale <= 1 + scenario.staleReads;
}

/** The status that this read shows in place of the real one. */
export function foreignStatusOf<Status extends string>(read: JobRead<Status>, status: Status): string | undefined {
  const { foreignStatus } = read.scenario;
  if (foreignStatus === undefined || foreignStatus.insteadOf !== status) return undefined;
  if (read.counters.foreign >= (foreignStatus.reads ?? Infinity)) return undefined;
  if (read.counted) read.counters.foreign += 1;
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
