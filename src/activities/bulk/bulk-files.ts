/** The files of a bulk batch, all in one folder: parts and outcomes while it runs, merged files at its end. */
import { log } from '@temporalio/activity';
import type { BulkFolder, BulkInput } from '../../contract/activities/bulk-batch.js';
import { bulkBatchResultSchema, type BulkBatchResult } from '../../contract/bulk-batch.js';
import type { CheckedFile } from '../../contract/checked-file.js';
import type { FileRef } from '../../contract/file-ref.js';
import type { Part, PartOutcome } from '../../contract/part.js';
import { jsonLines } from '../../jsonl/json-lines.js';
import { lineBlocks, RESULT_LINES, type LineSource } from '../../jsonl/lines.js';
import { readChecked } from '../../storage/checked-file.js';
import type { Storage } from '../../storage/storage.js';

/** Name of the list of all parts of a round. */
const ALL_PARTS = 'parts';
const INPUT_FILES = 'input-files.jsonl';
const MANIFEST = 'manifest.json';
const OUTCOMES = 'outcomes';
const BATCHES = 'batches';

export class BulkFiles {
  readonly #storage: Storage;
  readonly #folder: BulkFolder;

  constructor(storage: Storage, folder: BulkFolder) {
    this.#storage = storage;
    this.#folder = folder;
  }

  /** URI of the folder. */
  get uri(): string {
    return this.#uriOf();
  }

  get manifestUri(): string {
    return this.#uriOf(MANIFEST);
  }

  /** URI of the folder for the results of the parts' batches. */
  get resultsUri(): string {
    return this.#uriOf(BATCHES);
  }

  partUri(round: number, part: number): string {
    return this.#uriOf(`round-${round}`, `part-${padded(part)}.jsonl`);
  }

  writePart(round: number, part: number, content: AsyncIterable<Uint8Array>): Promise<FileRef> {
    return this.#storage.write(this.partUri(round, part), content);
  }

  /** Writes a list of parts. */
  async writeList(round: number, parts: readonly Part[], list = ALL_PARTS): Promise<void> {
    await this.#storage.write(this.#listUri(round, list), jsonLines(parts));
  }

  /** Reads `count` parts of a list, from the index `from` on. */
  async readList(round: number, list: string, from: number, count: number): Promise<Part[]> {
    const parts: Part[] = [];
    let index = 0;
    for await (const part of this.#readLines<Part>(this.#storage.read(this.#listUri(round, list)))) {
      if (index >= from) parts.push(part);
      index += 1;
      if (parts.length === count) break;
    }
    return parts;
  }

  async writeOutcomes(number: number, outcomes: readonly PartOutcome[]): Promise<void> {
    await this.#storage.write(this.#outcomesUri(number), jsonLines(outcomes));
  }

  /** The outcomes of all parts that have ended, in the order of their ends. */
  async readOutcomes({ outcomeFiles, unsaved }: Pick<BulkInput, 'outcomeFiles' | 'unsaved'>): Promise<PartOutcome[]> {
    const outcomes: PartOutcome[] = [];
    for (let number = 1; number <= outcomeFiles; number++) {
      const file = this.#readLines<PartOutcome>(this.#storage.read(this.#outcomesUri(number)));
      for await (const outcome of file) outcomes.push(outcome);
    }
    return [...outcomes, ...unsaved];
  }

  /** Writes the list of all parts that people read, by round and number. */
  writeParts(outcomes: readonly PartOutcome[]): Promise<FileRef> {
    const sorted = outcomes.toSorted((a, b) => a.round - b.round || a.part - b.part);
    return this.#storage.write(this.#uriOf('parts.jsonl'), jsonLines(sorted));
  }

  writeInputFiles(files: readonly CheckedFile[]): Promise<FileRef> {
    return this.#storage.write(this.#uriOf(INPUT_FILES), jsonLines(files));
  }

  async readInputFiles(list: FileRef): Promise<CheckedFile[]> {
    const files: CheckedFile[] = [];
    for await (const file of this.#readLines<CheckedFile>(readChecked(this.#storage, list))) files.push(file);
    return files;
  }

  /** Writes a merged file. */
  write(name: string, content: AsyncIterable<Uint8Array>): Promise<FileRef> {
    return this.#storage.write(this.#uriOf(name), content);
  }

  async writeManifest(result: BulkBatchResult): Promise<void> {
    await this.#storage.write(this.manifestUri, jsonLines([result]));
  }

  /** The result of a bulk batch that was completed before, and then reset; null if it was not. */
  async readCompleted(): Promise<BulkBatchResult | null> {
    const uri = this.manifestUri;
    if ((await this.#storage.stat(uri)) === null) return null;
    for await (const manifest of this.#readLines(this.#storage.read(uri))) {
      const result = bulkBatchResultSchema.safeParse(manifest).data;
      return result?.status === 'completed' ? result : null;
    }
    return null;
  }

  /** A file that these activities or a part's run wrote. */
  source(uri: string): LineSource {
    return { uri, open: () => this.#storage.read(uri, { reuse: true }) };
  }

  /**
   * Removes the parts and what their batches returned, once the merged files are complete. Never fails: files that stay
   * only cost space.
   */
  async removeParts(rounds: number, merged: readonly (FileRef | null)[]): Promise<void> {
    try {
      for (const file of merged) if (file && (await this.#storage.stat(file.uri))?.bytes !== file.bytes) return;
      for (let round = 1; round <= rounds; round++) await this.#storage.deleteFolder(this.#uriOf(`round-${round}`));
      for (const folder of [BATCHES, OUTCOMES]) await this.#storage.deleteFolder(this.#uriOf(folder));
    } catch (error) {
      log.warn('Could not remove the parts of the bulk batch', { folder: this.uri, error: String(error) });
    }
  }

  async *#readLines<T>(content: AsyncIterable<Uint8Array>): AsyncGenerator<T> {
    for await (const lines of lineBlocks(content, RESULT_LINES)) {
      for (const line of lines) yield JSON.parse(line.text) as T;
    }
  }

  #listUri(round: number, list: string): string {
    return this.#uriOf(`round-${round}`, `${list}.jsonl`);
  }

  #outcomesUri(number: number): string {
    return this.#uriOf(OUTCOMES, `${padded(number)}.jsonl`);
  }

  #uriOf(...names: string[]): string {
    const { outputUri, folder } = this.#folder;
    return this.#storage.resolve(outputUri ?? this.#storage.defaultRoot, folder, ...names);
  }
}

function padded(number: number): string {
  return String(number).padStart(5, '0');
}
