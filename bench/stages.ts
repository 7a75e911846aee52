/** The stages of `bench/data.ts`; this file is the program of each one's process. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import OpenAI from 'openai';
import { postFile } from '../src/provider/upload-form.js';
import type { PartResults } from '../src/results/bulk-account.js';
import { mergeResults, surveyResults } from '../src/results/merge.js';
import type { AnswerPolicy } from '../src/results/result-reader.js';
import { splitRequests, type SplitOptions } from '../src/requests/split.js';
import type { FileRef } from '../src/contract/file-ref.js';
import { BATCH_LIMITS } from '../src/contract/limits.js';
import { lineBlocks, type LineSource } from '../src/jsonl/lines.js';
import { Storage } from '../src/storage/storage.js';
import { measured, type Measured } from './process.js';
import { MODEL, randomFrom, Samples, writeLines } from './samples.js';

/** What each stage is given. */
export interface Setting {
  /** Folder of all files. */
  readonly folder: string;
  readonly requests: number;
  readonly unicode: boolean;
}

export interface ReadSetting extends Setting {
  readonly uris: readonly string[];
}

export interface UploadSetting extends ReadSetting {
  readonly apiUrl: string;
  readonly apiKey: string;
}

/** Result files of the simulated batches: what the merge is given. */
export interface ResultFiles {
  readonly round: number;
  readonly part: number;
  readonly output: string;
  readonly errors: string;
}

export interface MergeSetting extends Setting {
  readonly results: readonly ResultFiles[];
}

/** Requests of a part, and how many of them the first round leaves without an answer. */
const PART = 50_000;
const UNANSWERED = 0.03;
const POLICY: AnswerPolicy = { sendAgain: new Set(['unfinished', 'failed', 'truncated']), passing: [] };

const STAGES: Record<string, (setting: never) => Promise<Measured>> = {
  generate: ({ folder, requests, unicode }: Setting) =>
    measured(async () => {
      const samples = new Samples(unicode);
      await mkdir(join(folder, 'results'), { recursive: true });
      const bytes = await writeLines(
        requestsPath(folder),
        range(0, requests, (number) => samples.request(number)),
      );
      return { bytes, results: await writeResults(folder, requests, samples) };
    }),

  read: ({ folder, uris }: ReadSetting) =>
    measured(async () => {
      let bytes = 0;
      for (const uri of uris) for await (const chunk of storageIn(folder).read(uri)) bytes += chunk.length;
      return { bytes };
    }),

  /** The strict bound: nothing but lines, by our own splitter, and `JSON.parse`. */
  parse: ({ folder, uris }: ReadSetting) =>
    measured(async () => {
      let bytes = 0;
      let lines = 0;
      for (const uri of uris) {
        for await (const block of lineBlocks(storageIn(folder).read(uri))) {
          for (const line of block) {
            bytes += line.byteLength + 1;
            if (JSON.parse(line.text) !== null) lines += 1;
          }
        }
      }
      return { bytes, lines };
    }),

  /** The pass that anybody would write. */
  parseByReadline: ({ uris }: ReadSetting) =>
    measured(async () => {
      let bytes = 0;
      let lines = 0;
      for (const uri of uris) {
        for await (const line of createInterface({
          input: createReadStream(fileURLToPath(uri)),
          crlfDelay: Infinity,
        })) {
          bytes += line.length + 1;
          if (JSON.parse(line) !== null) lines += 1;
        }
      }
      return { bytes, lines };
    }),

  /** What writing costs, whatever is done besides. */
  copy: ({ folder, uris }: ReadSetting) =>
    measured(async () => {
      const storage = storageIn(folder);
      const copy = storage.resolve(storage.defaultRoot, 'copy');
      let bytes = 0;
      for (const uri of uris) bytes += (await storage.write(copy, storage.read(uri))).bytes;
      return { bytes };
    }),

  split: ({ folder }: Setting) => {
    const storage = storageIn(folder);
    return split(folder, (part, content) =>
      storage.write(storage.resolve(storage.defaultRoot, 'parts', `part-${part.number}.jsonl`), content),
    );
  },

  /** What splitting itself costs, whatever the disk does. */
  splitOnly: ({ folder }: Setting) => split(folder, (_, content) => hashed(content)),

  upload: (setting: UploadSetting) => upload(setting, setting.uris),

  /** The largest part that there is: what of the others fills 200 MB. */
  uploadLarge: async (setting: UploadSetting) => {
    const storage = storageIn(setting.folder);
    const large = storage.resolve(storage.defaultRoot, 'large.jsonl');
    const size = Math.min(BATCH_LIMITS.bytes, setting.uris.length * 40e6);
    await storage.write(large, firstOf(setting, size));
    return upload(setting, [large]);
  },

  survey: ({ folder, results }: MergeSetting) =>
    measured(async () => {
      const { requests, open } = await surveyResults([source(folder)], resultsOf(folder, results), POLICY);
      return { bytes: 0, requests, open };
    }),

  merge: (setting: MergeSetting) => {
    const storage = storageIn(setting.folder);
    return merge(setting, (name, content) => storage.write(storage.resolve(storage.defaultRoot, name), content));
  },

  /** What merging itself costs, whatever the disk does. */
  mergeOnly: (setting: MergeSetting) => merge(setting, (_, content) => hashed(content)),
};

function split(folder: string, writePart: SplitOptions['writePart']): Promise<Measured> {
  return measured(async () => {
    const { parts, requests, faults } = await splitRequests([source(folder)], {
      limits: BATCH_LIMITS,
      missingCustomIds: 'refuse',
      writePart,
    });
    if (faults.total > 0) throw new Error(JSON.stringify(faults));
    return { bytes: sum(parts.map(({ file }) => file.bytes)), requests, parts: parts.map(({ file }) => file.uri) };
  });
}

function merge(
  { folder, results }: MergeSetting,
  write: (name: string, content: AsyncIterable<Uint8Array>) => Promise<FileRef>,
): Promise<Measured> {
  return measured(async () => {
    const { lines, output, errors, cost } = await mergeResults([source(folder)], resultsOf(folder, results), POLICY, {
      order: 'input',
      gzip: false,
      prices: { [MODEL]: { inputPerMillion: 0.075, outputPerMillion: 0.3 } },
      writeOutput: (content) => write('output.jsonl', content),
      writeErrors: (content) => write('errors.jsonl', content),
      writeUnreadable: (content) => write('unreadable.jsonl', content),
    });
    return { bytes: (output?.bytes ?? 0) + (errors?.bytes ?? 0), lines, cost };
  });
}

/** Takes a file as storage does, but keeps nothing. */
async function hashed(content: AsyncIterable<Uint8Array>): Promise<FileRef> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of content) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { uri: '', bytes, lines: 0, sha256: hash.digest('hex') };
}

/** Uploads the files one after the other, as the activity does: hashed on the way, by the streaming form. */
async function upload({ folder, apiUrl, apiKey }: UploadSetting, uris: readonly string[]): Promise<Measured> {
  const storage = storageIn(folder);
  const client = new OpenAI({ apiKey, baseURL: apiUrl, maxRetries: 0 });
  // The client's own code is loaded with the first request, and is no part of what a file costs.
  await client.files.list();
  return measured(async () => {
    let total = 0;
    for (const uri of uris) {
      const hash = createHash('sha256');
      const { bytes } = (await storage.stat(uri))!;
      const content = async function* () {
        for await (const chunk of storage.read(uri)) {
          hash.update(chunk);
          yield chunk;
        }
      };
      const form = { filename: uri.slice(-20), bytes, content, fields: { purpose: 'batch' } };
      await postFile(client, form, { timeout: 600_000, signal: new AbortController().signal });
      total += bytes;
    }
    return { bytes: total };
  });
}

async function* firstOf({ folder, uris }: ReadSetting, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for (const uri of uris) {
    for await (const chunk of storageIn(folder).read(uri)) {
      if (left <= 0) return;
      yield chunk.subarray(0, left);
      left -= chunk.length;
    }
  }
}

export function requestsPath(folder: string): string {
  return join(folder, 'requests.jsonl');
}

function storageIn(folder: string): Storage {
  return new Storage({ roots: [pathToFileURL(folder).href] });
}

function source(folder: string): LineSource {
  const uri = pathToFileURL(requestsPath(folder)).href;
  return { uri, open: () => storageIn(folder).read(uri, { reuse: true }) };
}

function resultsOf(folder: string, results: readonly ResultFiles[]): PartResults[] {
  const reader = (uri: string) => ({ uri, open: () => storageIn(folder).read(uri, { reuse: true }) });
  return results.map(({ round, part, output, errors }) => ({
    round,
    part,
    model: MODEL,
    output: reader(output),
    errors: reader(errors),
    unreadable: null,
    usage: null,
  }));
}

/** Batches of a first round that leave some requests unanswered, and one of a second round that answers them. */
async function writeResults(folder: string, requests: number, samples: Samples): Promise<ResultFiles[]> {
  const random = randomFrom(11);
  const left: number[] = [];
  const files: ResultFiles[] = [];
  const write = async (round: number, part: number, answered: readonly number[], others: readonly number[]) => {
    const path = (name: string) => join(folder, 'results', `r${round}-p${part}-${name}.jsonl`);
    await writeLines(
      path('output'),
      map(answered, (number) => samples.answer(number)),
    );
    await writeLines(
      path('errors'),
      map(others, (number) => samples.refusal(number)),
    );
    files.push({ round, part, output: pathToFileURL(path('output')).href, errors: pathToFileURL(path('errors')).href });
  };
  for (let first = 0, part = 1; first < requests; first += PART, part += 1) {
    const answered: number[] = [];
    const others: number[] = [];
    for (let number = first; number < Math.min(first + PART, requests); number += 1) {
      (random() < UNANSWERED ? others : answered).push(number);
    }
    await write(1, part, shuffled(answered, random), others);
    left.push(...others);
  }
  await write(2, 1, shuffled(left, random), []);
  return files;
}

function shuffled(numbers: number[], random: () => number): number[] {
  for (let at = numbers.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [numbers[at], numbers[other]] = [numbers[other]!, numbers[at]!];
  }
  return numbers;
}

function* range<T>(from: number, to: number, value: (number: number) => T): Generator<T> {
  for (let number = from; number < to; number += 1) yield value(number);
}

function* map<T, U>(values: Iterable<T>, change: (value: T) => U): Generator<U> {
  for (const value of values) yield change(value);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , name = '', argument = '{}'] = process.argv;
  const stage = STAGES[name];
  if (!stage) throw new Error(`there is no stage ${name}`);
  process.stdout.write(JSON.stringify(await stage(JSON.parse(argument) as never)));
}
