/** What the Schedule starts each night: classifies the tickets of an inbox, and empties it. */
import { executeChild, proxyActivities } from '@temporalio/workflow';
import type { runBulkBatch } from 'temporal-llm-jobs/workflows';
import type { InboxActivities } from './activities.js';

export interface Night {
  readonly tickets: number;
  readonly classified: number;
  /** URI of a JSONL file of `{ ticket, category }`; null if the inbox was empty. */
  readonly labels: string | null;
}

const { takeInbox, writeLabels, emptyInbox } = proxyActivities<InboxActivities>({ startToCloseTimeout: '10m' });

export async function classifyInbox(inbox: string): Promise<Night> {
  const taken = await takeInbox(inbox);
  if (taken === null) return { tickets: 0, classified: 0, labels: null };
  const result = await executeChild<typeof runBulkBatch>('runBulkBatch', {
    args: [{ input: { uri: taken.requests }, schema: taken.schema, deadline: '20h' }],
    parentClosePolicy: 'REQUEST_CANCEL',
  });
  const labels = await writeLabels(inbox, { output: result.output, errors: result.errors });
  // Only what was answered leaves the inbox: the rest is tried again tomorrow.
  await emptyInbox(labels);
  return { tickets: result.requests, classified: result.lines.succeeded, labels };
}
