/** Signals to other runs. */
import { CancellationScope, getExternalWorkflowHandle, type SignalDefinition } from '@temporalio/workflow';

/**
 * Signals a run, also while this one is being cancelled by Temporal: in a cancelled scope nothing would be sent, and the
 * other run would go on.
 *
 * @returns false where that run has ended, which then need not hear of it
 */
export async function signalRun<Args extends unknown[]>(
  workflowId: string,
  signal: SignalDefinition<Args>,
  ...args: Args
): Promise<boolean> {
  try {
    await CancellationScope.nonCancellable(() => getExternalWorkflowHandle(workflowId).signal(signal, ...args));
    return true;
  } catch {
    return false;
  }
}
