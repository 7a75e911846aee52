/**
 * The record of a run: a small file below a storage root that leads from the workflow id to the manifest. Manifests lie
 * under the ids of jobs, which nobody can ask for once Temporal has removed the run.
 */
import { z } from 'zod';
import { safeParse } from '../contract/safe-parse.js';
import { jsonLines } from '../jsonl/json-lines.js';
import { safeName } from '../storage/safe-name.js';
import type { Storage } from '../storage/storage.js';
import { jsonFile } from './json-file.js';
import { manifestAt, type Manifest } from './read-manifest.js';

const FOLDER = 'runs';

/** A run, as it is named in its cluster. */
export interface RunName {
  readonly namespace: string;
  readonly workflowId: string;
}

const recordSchema = z.object({
  /** The run ids of the run: more than one if it continued as new, or was reset. */
  runIds: z.array(z.string()),
  /** URI of its manifest. */
  manifest: z.string(),
});

/**
 * Writes where the manifest of a run is, below the root that contains the manifest. A later run of the same workflow id
 * takes the place of the earlier one, as in Temporal.
 *
 * @throws StorageError
 */
export async function writeRunRecord(
  storage: Storage,
  run: RunName & { readonly runIds: readonly string[] },
  manifest: string,
): Promise<void> {
  const root = storage.roots.find((each) => manifest.startsWith(each)) ?? storage.defaultRoot;
  const { runIds } = run;
  await storage.write(recordUri(storage, root, run), jsonLines([{ runIds, manifest }]));
}

/**
 * The result of a run by its workflow id, without Temporal.
 *
 * @param runId null for the last run of the workflow id
 * @returns null if no run of that id has written a result
 * @throws StorageError
 */
export async function readResultOfRun(
  storage: Storage,
  run: RunName,
  runId: string | null = null,
): Promise<Manifest | null> {
  for (const root of storage.roots) {
    const { data: record } = safeParse(recordSchema, await jsonFile(storage, recordUri(storage, root, run)));
    if (!record || (runId !== null && !record.runIds.includes(runId))) continue;
    const manifest = await manifestAt(storage, record.manifest);
    if (manifest) return manifest;
  }
  return null;
}

function recordUri(storage: Storage, root: string, { namespace, workflowId }: RunName): string {
  return storage.resolve(root, FOLDER, safeName(namespace), `${safeName(workflowId)}.json`);
}
