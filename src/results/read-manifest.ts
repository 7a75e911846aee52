/** Results of runs that Temporal no longer knows: each run writes its own to storage. */
import { batchResultSchema, type BatchResult } from '../contract/batch.js';
import { bulkBatchResultSchema, type BulkBatchResult } from '../contract/bulk-batch.js';
import { fineTuningResultSchema, type FineTuningResult } from '../contract/fine-tuning.js';
import { safeParse } from '../contract/safe-parse.js';
import { safeName } from '../storage/safe-name.js';
import type { Storage } from '../storage/storage.js';

export type Manifest =
  | { readonly kind: 'batch'; readonly result: BatchResult }
  | { readonly kind: 'bulk'; readonly result: BulkBatchResult }
  | { readonly kind: 'fineTuning'; readonly result: FineTuningResult };

/** In this order, since the results have few fields in common. */
const SCHEMAS = { batch: batchResultSchema, bulk: bulkBatchResultSchema, fineTuning: fineTuningResultSchema };

/**
 * The result that a run has written to storage, long after Temporal has removed the run.
 *
 * @param id of the batch (`batch_…`) or the fine-tuning job (`ftjob-…`) at the provider; for a bulk batch, the name of its
 *   folder, `<workflow id>.<run id>`
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
  return manifestAt(storage, storage.resolve(outputUri, safeName(id), 'manifest.json'));
}

/** The same, by the URI of the file. */
export async function manifestAt(storage: Storage, uri: string): Promise<Manifest | null> {
  if ((await storage.stat(uri)) === null) return null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of storage.read(uri)) chunks.push(chunk);
  return manifestFrom(jsonOf(Buffer.concat(chunks).toString()));
}

/** A result of a run, told by its fields; null for anything else. */
export function manifestFrom(content: unknown): Manifest | null {
  for (const [kind, schema] of Object.entries(SCHEMAS)) {
    const { data } = safeParse(schema, content);
    if (data) return { kind, result: data } as Manifest;
  }
  return null;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
