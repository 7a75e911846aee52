import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { jsonl } from './samples.js';

/** Writes the values as a new JSONL file in the folder; answers with its URI. */
export async function writeJsonl(folder: string, values: readonly unknown[]): Promise<string> {
  const path = join(folder, `${randomUUID()}.jsonl`);
  await writeFile(path, jsonl(values));
  return pathToFileURL(path).href;
}
