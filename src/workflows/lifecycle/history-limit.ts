import { workflowInfo } from '@temporalio/workflow';

/** Far below the server's limit of 51,200 events, so that a worker can load a history quickly. */
const MAX_HISTORY_EVENTS = 8_000;

/** Whether a workflow that can continue as new should do so. */
export function isHistoryLong(): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength > MAX_HISTORY_EVENTS;
}
