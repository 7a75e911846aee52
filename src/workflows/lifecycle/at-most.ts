import { CancellationScope, condition, sleep } from '@temporalio/workflow';

/**
 * Waits until something holds, at most for so long. A cancellation of the scope ends the wait, too.
 *
 * The timer is never cancelled but left to fire. A timer that is cancelled at the moment at which it fires is where
 * servers differ: the time-skipping one does not accept that and loses the run.
 */
export async function atMost(ms: number, summary: string, holds: () => boolean): Promise<void> {
  if (holds()) return;
  let hasFired = false;
  const fire = async () => {
    await sleep(ms, { summary });
    hasFired = true;
  };
  void CancellationScope.nonCancellable(fire);
  await condition(() => hasFired || holds());
}
