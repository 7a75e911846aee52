import type { Storage } from '../storage/storage.js';

/**
 * The content of a small file of JSON.
 *
 * @returns null if there is no such file, and for what is no JSON
 * @throws StorageError
 */
export async function jsonFile(storage: Storage, uri: string): Promise<unknown> {
  if ((await storage.stat(uri)) === null) return null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of storage.read(uri)) chunks.push(chunk);
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  } catch {
    return null;
  }
}
