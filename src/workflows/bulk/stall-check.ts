/**
 * Tells why a bulk batch does not get on where `runBatch` cannot run: users export our workflows from a file of their
 * own, and may have forgotten it.
 */
import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import { runActivity, shortActivities } from '../lifecycle/activity-calls.js';
import type { RunControl } from '../lifecycle/run-control.js';

/** How long nothing may come before it is asked why. It doubles with each further question. */
const FIRST_PAUSE_MS = 30_000;
const MAX_PAUSE_MS = 60 * 60_000;

export class StallCheck {
  readonly #run: RunControl;
  /** Whether one run is, or was, looked at: whether a worker has the workflow is the same for all of them. */
  #isChecked = false;

  constructor(run: RunControl) {
    this.#run = run;
  }

  /**
   * Waits for something that a run of `runBatch` has to do.
   *
   * @param tell called with the reason while that run is stalled, and with null once it is not
   */
  async during<T>(workflowId: string, tell: (reason: string | null) => void, wait: () => Promise<T>): Promise<T> {
    if (this.#isChecked) return wait();
    this.#isChecked = true;
    const scope = new CancellationScope();
    const checking = scope
      .run(() => this.#check(workflowId, tell))
      .catch((error: unknown) => {
        if (!isCancellation(error) && !scope.consideredCancelled) throw error;
      });
    try {
      return await wait();
    } finally {
      scope.cancel();
      await checking;
    }
  }

  async #check(workflowId: string, tell: (reason: string | null) => void): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      await sleep(pauseMs, { summary: 'Until it is checked that runBatch runs' });
      const stall = await runActivity(shortActivities.whyStalled, `Check that ${workflowId} runs`, { workflowId });
      const reason =
        stall === null ? null : `${workflowId} does not run: ${stall}. Does a worker of this task queue have runBatch?`;
      if (reason !== null) this.#run.warn(reason);
      tell(reason);
      if (reason === null) return;
    }
  }
}
