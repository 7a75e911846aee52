/** Secrets by where they come from. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { KeySource, SecretFunction, SecretSource } from './account-schema.js';
import type { Environment } from './load-file.js';

/** Of a secret that is replaced, so many former values are still kept out of messages. */
const KEPT = 8;

/** A secret that may be replaced while the worker runs. */
export interface Secret {
  /** The value now. @throws Error whose message has no part of it */
  readonly read: () => Promise<string>;
  /** The values that were read last. */
  readonly seen: () => readonly string[];
}

export interface SecretPlaces {
  readonly environment: Environment;
  /** Folder against which relative paths are resolved. */
  readonly folder: string;
}

/** A server without keys gets this one: a client of the `openai` package sends some key. */
const NO_KEY = '-';

/** @throws Error that says why the secret cannot be read, for a variable at once, for a file when it is read */
export function secretOf(source: KeySource, { environment, folder }: SecretPlaces): Secret {
  if (source === null) return remembering(() => NO_KEY);
  if (typeof source === 'function') return remembering(called(source));
  if ('file' in source) return remembering(() => secretFile(resolve(folder, source.file)));
  const value = environment[source.env]?.trim();
  if (!value) throw new Error(`the variable ${source.env} is not set`);
  return remembering(() => value);
}

/** The value of a secret that is read once. */
export async function readSecret(source: SecretSource, places: SecretPlaces): Promise<string> {
  return secretOf(source, places).read();
}

function remembering(read: () => string | Promise<string>): Secret {
  const seen: string[] = [];
  return {
    read: async () => {
      const value = await read();
      if (!seen.includes(value)) seen.unshift(value);
      seen.length = Math.min(seen.length, KEPT);
      return value;
    },
    seen: () => seen,
  };
}

function called(source: SecretFunction): () => Promise<string> {
  return async () => {
    const value: unknown = await source();
    if (typeof value === 'string' && value.trim() !== '') return value.trim();
    throw new Error('the function of the configuration returned no text');
  };
}

async function secretFile(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new Error(`cannot read ${path} (${code})`, { cause: error });
  });
  const value = text.trim();
  if (value === '') throw new Error(`${path} is empty`);
  return value;
}
