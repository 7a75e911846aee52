/** The two ways in which an operator pauses the watch of an account. */
import { waitFor } from '../../dev/stage/wait-for.js';
import { watchOf } from './account-watch.js';
import type { TestTemporal } from './temporal.js';

/** `PENDING_ACTIVITY_STATE_STARTED` and `PENDING_ACTIVITY_STATE_PAUSE_REQUESTED`: an attempt is under way. */
const UNDER_WAY = [2, 5];

/** Pauses the watch, and returns the function that unpauses it. */
export type Pause = (stage: { readonly temporal: TestTemporal }) => Promise<() => Promise<unknown>>;

const pauseWorkflow: Pause = async (stage) => {
  const { client, namespace } = stage.temporal;
  const watch = watchOf(stage);
  const { workflowId } = watch;
  await client.workflowService.pauseWorkflowExecution({ namespace, workflowId });
  await waitFor(async () => (await watch.describe()).status.name === 'PAUSED', 'the watch to be paused');
  await waitFor(async () => !(await isSweeping(stage)), 'the sweep under way to end');
  return () => client.workflowService.unpauseWorkflowExecution({ namespace, workflowId });
};

const pauseActivity: Pause = async (stage) => {
  const { client, namespace } = stage.temporal;
  const activity = { namespace, execution: { workflowId: watchOf(stage).workflowId }, type: 'sweepAccount' };
  await client.workflowService.pauseActivity(activity);
  await waitFor(async () => !(await isSweeping(stage)), 'the sweep under way to end');
  return () => client.workflowService.unpauseActivity(activity);
};

export const PAUSES = { 'the workflow': pauseWorkflow, 'its activity': pauseActivity } as const;

async function isSweeping(stage: { readonly temporal: TestTemporal }): Promise<boolean> {
  const { raw } = await watchOf(stage).describe();
  return (raw.pendingActivities ?? []).some(({ state }) => UNDER_WAY.includes(Number(state)));
}
