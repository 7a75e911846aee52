/** Files of a person's machine as inputs of runs. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { safeName } from '../storage/safe-name.js';
import type { Storage } from '../storage/storage.js';
import { CommandError, EXIT_CODES } from './io.js';

export interface InputFile {
  /** Where the workers find it. */
  readonly uri: string;
  readonly read: () => AsyncIterable<Uint8Array>;
  /** Copies it into the workers' storage, if it is not there. */
  readonly bring: () => Promise<void>;
}

const isUri = (text: string): boolean => /^[a-z][a-z0-9+.-]+:\/\//i.test(text);

/**
 * An input by its URI, or by its path. A local file outside the storage roots is to be copied below the first, since the
 * workers read nothing else.
 *
 * @throws CommandError if there is no such file
 */
export async function inputFile(file: string, storage: Storage): Promise<InputFile> {
  if (isUri(file)) return { uri: file, read: () => storage.read(file), bring: nothing };
  const path = resolve(file);
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) {
    throw new CommandError(EXIT_CODES.usage, `there is no file ${path}`, 'Give the path of a file, or its URI.');
  }
  const read = () => createReadStream(path);
  const uri = pathToFileURL(path).href;
  if (storage.roots.some((root) => uri.startsWith(root))) return { uri, read, bring: nothing };
  const copy = storage.resolve(storage.defaultRoot, 'inputs', `${randomUUID()}.${safeName(basename(path))}`);
  const bring = async () => {
    await storage.write(copy, read());
  };
  return { uri: copy, read, bring };
}

const nothing = async (): Promise<void> => undefined;

/** The endpoint of the first request, by its `url`; undefined where it has none. */
export async function endpointIn({ read }: InputFile): Promise<string | undefined> {
  try {
    const { url } = JSON.parse(await firstLine(read())) as { url?: unknown };
    return typeof url === 'string' ? url : undefined;
  } catch {
    return undefined;
  }
}

async function firstLine(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const input = Readable.from(bytes);
  try {
    for await (const line of createInterface({ input })) {
      if (line.trim() !== '') return line.replace(/^\uFEFF/, '');
    }
    return '';
  } finally {
    input.destroy();
  }
}
