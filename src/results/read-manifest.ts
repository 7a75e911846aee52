/** Results of runs that Temporal no longer knows: each run writes its own to storage. */
import { batchResultSchema, type BatchResult } from '../contract/batch.js';
import { bulkBatchResultSchema, type BulkBatchResult } from '../contract/bulk-batch.js';
import { fineTuningResultSchema, type FineTuningResult } from '../contract/fine-tuning.js';
import { safeParse } from '../contract/safe-parse.js';
import { safeName } from '../storage/safe-name.js';
import type { Storage } from '../storage/storage.js';
import { isUsableName } from '../storage/uri.js';
import { jsonFile } from './json-file.js';

/** The result of a run, by the kind of the run. */
export type Manifest =
  | { readonly kind: 'batch'; readonly result: BatchResult }
  | { readonly kind: 'bulk'; readonly result: BulkBatchResult }
  | { readonly kind: 'fineTuning'; readonly result: FineTuningResult };

/** In this order, since the results have few fields in common. */
const SCHEMAS = { batch: batchResultSchema, bulk: bulkBatchResultSchema, fineTuning: fineTuningResultSchema };

/**
 * The result that a run has written to storage, long after Temporal has removed the run. To find it by the workflow id,
 * give the storage to `LlmJobsClient` and call `result()` of the run.
 *
 * @param id of the batch (`batch_…`) or the fine-tuning job (`ftjob-…`) at the provider; for a bulk batch, the name of
 *   its folder, `<workflow id>.<run id>`
 * @param outputUri as in the spec of the run
 * @returns null if there is none, or if the job had not ended when it was written
 * @throws StorageError
 * @example
 * ```ts
 * const manifest = await readManifest(storage, 'batch_abc123');
 * if (manifest?.kind === 'batch') console.log(manifest.result.lines, manifest.result.output);
 * ```
 */
export async function readManifest(
  storage: Storage,
  id: string,
  outputUri: string = storage.defaultRoot,
): Promise<Manifest | null> {
  // A provider's id is made safe for file systems that ignore case; the folder of a bulk batch has its name as it is.
  const names = new Set([safeName(id), ...(isUsableName(id) ? [id] : [])]);
  for (const name of names) {
    const manifest = await manifestAt(storage, storage.resolve(outputUri, name, 'manifest.json'));
    if (manifest) return manifest;
  }
  return null;
}

/** The same for a manifest whose URI is known. */
export async function manifestAt(storage: Storage, uri: string): Promise<Manifest | null> {
  return manifestFrom(await jsonFile(storage, uri));
}

/** A result of a run, told by its fields; null for anything else. */
export function manifestFrom(content: unknown): Manifest | null {
  for (const [kind, schema] of Object.entries(SCHEMAS)) {
    const { data } = safeParse(schema, content);
    if (data) return { kind, result: data } as Manifest;
  }
  return null;
}
