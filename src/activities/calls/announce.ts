/** How a job comes under the watch of its account. */
import { activityInfo, getClient, log } from '@temporalio/activity';
import { accountWatchId, WATCH_ACCOUNT, type AnnouncedJob } from '../../contract/account-watch.js';
import type { WatchMode } from '../../contract/spec-fields.js';
import type { ActivityContext } from '../runtime/context.js';
import type { ProviderApi } from './provider-api.js';
import { inTraceOfItsOwn } from './traced-call.js';

const ANSWER_WITHIN_MS = 5_000;

/**
 * Puts a job under the watch of its account, which starts with its first job.
 *
 * @param wanted what the spec asks for; undefined for the worker's choice
 * @returns the workflow id of the watch; null where the run has to look at its job itself
 */
export async function announce(
  { watch }: ActivityContext,
  { provider }: ProviderApi,
  wanted: WatchMode | undefined,
  job: AnnouncedJob,
): Promise<string | null> {
  const isPossible = watch.mode === 'account' && provider.metadata && provider.lists;
  if ((wanted ?? (isPossible ? 'account' : 'job')) === 'job') return null;
  const { taskQueue } = activityInfo();
  const workflowId = accountWatchId(taskQueue, provider.name);
  const client = getClient();
  try {
    const start = () =>
      client.workflow.signalWithStart(WATCH_ACCOUNT, {
        workflowId,
        taskQueue,
        args: [{ provider: provider.name }],
        signal: 'announce',
        signalArgs: [job],
        // As with the token budget: one run serves the runs of all deployments.
        versioningOverride: 'AUTO_UPGRADE',
        staticSummary: `Watch of the account at provider ${provider.name}`,
        staticDetails:
          'Reads the lists of jobs and wakes the runs of those that have begun or ended. Ends when no job is open.',
      });
    await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () => inTraceOfItsOwn(start));
    return workflowId;
  } catch (error) {
    log.warn('The watch of the account does not answer: the run looks at its job itself', { reason: String(error) });
    return null;
  }
}
