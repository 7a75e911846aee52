/** The watch of an account. */
import type { SweepInput } from '../account-watch.js';

export interface AccountWatchActivities {
  /**
   * Looks at all jobs of the task queue at a provider, and wakes the runs of those that have begun or ended. Each
   * attempt is one sweep, so sweeps need no history. Returns when no job is open.
   */
  sweepAccount(input: SweepInput): Promise<void>;
}
