/** The run that follows a job of the provider. */
import type { Client } from '@temporalio/client';
import { JOB_KEY } from '../contract/job-key.js';
import { guardedClient } from '../provider/guarded-client.js';
import { BATCHES } from '../provider/job-kinds.js';
import type { OpenAIClient } from '../provider/openai-client.js';
import { ownerHere, ownerRunOf, type OwnerRun } from '../temporal/owner-run.js';

/** Retries of each request, as many as those of the SDK by default. */
const MAX_RETRIES = 2;

/**
 * The open run of this namespace that the key of a batch names; null where its metadata has no key, or that of a run that
 * has ended.
 *
 * @throws the errors of the two clients, also where there is no such batch
 */
export async function openOwnerOf(temporal: Client, openai: OpenAIClient, batchId: string): Promise<OwnerRun | null> {
  const { metadata } = BATCHES.schema.parse(await BATCHES.retrieve(guardedClient(openai, MAX_RETRIES), batchId));
  const owner = await ownerHere(temporal, metadata[JOB_KEY]);
  const run = owner && (await ownerRunOf(temporal, owner));
  return run?.isOpen ? run : null;
}
