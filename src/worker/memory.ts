/** How much memory the worker may use, and how many sleeping runs it keeps within that. */
import { totalmem } from 'node:os';

const MB = 1024 * 1024;

/** At work: the ready-made worker at rest, and what activities take beside the runs. */
const BASE_BYTES = 300 * MB;
/** What the process grows by for a run that sleeps in the cache. Measured by `npm run bench:waiting`. */
const RUN_BYTES = 0.5 * MB;
const MIN_RUNS = 50;
/** More are of little use: a run that was evicted is replayed from some 50 events when it is woken. */
const MAX_RUNS = 250;

/** What the container allows, or else what the machine has, in bytes. */
export function availableMemory(): number {
  const limit = process.constrainedMemory();
  // Without a limit, systems report none, zero or more than there is.
  return limit !== undefined && limit > 0 && limit < totalmem() ? limit : totalmem();
}

/**
 * How many runs a worker keeps in its cache.
 *
 * @param bytes memory of the worker
 */
export function cachedRuns(bytes: number): number {
  return Math.min(Math.max(Math.floor((bytes - BASE_BYTES) / RUN_BYTES), MIN_RUNS), MAX_RUNS);
}
