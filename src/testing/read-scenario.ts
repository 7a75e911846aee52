/** How reads of a job may mislead, the same for batches and fine-tuning jobs. */
export interface ReadScenario<Status extends string> {
  /** The job is 404 for every request from this status on, and in no list. */
  readonly vanishIn?: Status;
  /** The job is 404 from so many ms after its creation on. */
  readonly vanishAfterMs?: number;
  /** How many reads step back to the job's first state, after a read has shown a later one. */
  readonly staleReads?: number;
  /** A status that is in no document shown in place of a real one, for `reads` reads (default: as long as it lasts). */
  readonly foreignStatus?: { status: string; insteadOf: Status; reads?: number };
}

/** Reads that were counted for one job. Only the retrieve endpoint counts. */
export interface ReadCounters {
  stale: number;
  foreign: number;
}

export interface Read<Status extends string> {
  readonly scenario: ReadScenario<Status>;
  readonly counters: ReadCounters;
  readonly counted: boolean;
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

/** Whether this read shows the job's first state again. @param past the job has left its first state */
export function stepsBack<Status extends string>(read: Read<Status>, past: boolean): boolean {
  const { scenario, counters, counted } = read;
  if (scenario.staleReads === undefined || !counted || !past) return false;
  // The first read shows the truth, so that the next ones are seen to step back.
  counters.stale += 1;
  return counters.stale > 1 && counters.stale <= 1 + scenario.staleReads;
}

/** The status that this read shows in place of the real one. */
export function foreignStatusOf<Status extends string>(read: Read<Status>, status: Status): string | undefined {
  const { foreignStatus } = read.scenario;
  if (foreignStatus === undefined || foreignStatus.insteadOf !== status) return undefined;
  if (read.counters.foreign >= (foreignStatus.reads ?? Infinity)) return undefined;
  if (read.counted) read.counters.foreign += 1;
  return foreignStatus.status;
}
