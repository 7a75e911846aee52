/** Creates the Schedule. Run it once, or at every deployment: it is updated if it is there. */
import { ScheduleAlreadyRunning, type Client, type ScheduleHandle, type ScheduleOptions } from '@temporalio/client';
import type { classifyInbox } from './workflow.js';

export async function scheduleNights(
  client: Client,
  { scheduleId, taskQueue, inbox }: { scheduleId: string; taskQueue: string; inbox: string },
): Promise<ScheduleHandle> {
  const options = {
    scheduleId,
    spec: { calendars: [{ hour: 2, minute: 30 }] },
    // One night at a time. A start that an outage prevented is made up for within six hours.
    policies: { overlap: 'SKIP', catchupWindow: '6h' },
    action: { type: 'startWorkflow', workflowType: 'classifyInbox', workflowId: scheduleId, taskQueue, args: [inbox] },
  } as const satisfies ScheduleOptions & { action: { args: Parameters<typeof classifyInbox> } };
  try {
    return await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const handle = client.schedule.getHandle(scheduleId);
    await handle.update(({ state }) => ({ ...options, state }));
    return handle;
  }
}
