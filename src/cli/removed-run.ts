/** Runs that Temporal has removed after the retention of the namespace: what they collected is in storage. */
import { readManifest, type Manifest } from '../results/read-manifest.js';
import { readResultOfRun } from '../results/run-record.js';
import type { Storage } from '../storage/storage.js';
import type { Session } from './session.js';

/** A result in storage, by a workflow id or by the id of a job; null if there is none. */
export async function storedResult(
  { jobs: { client } }: Session,
  id: string,
  storage: Storage,
): Promise<Manifest | null> {
  const { namespace } = client.options;
  return (await readResultOfRun(storage, { namespace, workflowId: id })) ?? readManifest(storage, id);
}
