/** The storage folder of a stage. */
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface StageFolder {
  readonly path: string;
  /** `file:` URI with a slash at the end, to be a storage root. */
  readonly uri: string;
  /**
   * Writes a file and returns its URI. A list is written as JSONL, one line for each value.
   *
   * @param name below the folder; @default a new name that ends with `.jsonl`
   */
  readonly write: (content: readonly unknown[] | string | Uint8Array, name?: string) => Promise<string>;
  readonly remove: () => Promise<void>;
}

export async function temporaryFolder(): Promise<StageFolder> {
  return folderAt(await mkdtemp(join(tmpdir(), 'llm-jobs-stage-')));
}

export async function folderAt(path: string): Promise<StageFolder> {
  await mkdir(path, { recursive: true });
  return {
    path,
    uri: pathToFileURL(`${path}/`).href,
    write: async (content, name = `${randomUUID()}.jsonl`) => {
      const isRaw = typeof content === 'string' || content instanceof Uint8Array;
      await writeFile(join(path, name), isRaw ? content : jsonl(content));
      return pathToFileURL(join(path, name)).href;
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** One line for each value: a text as it is, anything else as JSON. */
export function jsonl(values: readonly unknown[]): string {
  return values.map((value) => `${typeof value === 'string' ? value : JSON.stringify(value)}\n`).join('');
}
