/** Collects the results of one batch from lines that a test writes. */
import { collectResults, type ResultSources } from '../../src/results/collect.js';
import { jsonl, request } from './result-lines.js';
import { bytesOf, textOf } from './streams.js';

/** Collects results into texts; a file that was not written is null. */
export async function collected(sources: ResultSources) {
  const files: Record<string, string> = {};
  const write = (name: string) => async (content: AsyncIterable<Uint8Array>) => {
    const text = (files[name] = await textOf(content));
    return { uri: name, bytes: Buffer.byteLength(text), lines: text.split('\n').length - 1, sha256: '' };
  };
  const { summary, ...refs } = await collectResults(sources, {
    writeOutput: write('output'),
    writeErrors: write('errors'),
    writeUnreadable: write('unreadable'),
    unsuccessful: { write: write('unsuccessful'), read: () => bytesOf(files.unsuccessful!) },
  });
  const content = (name: keyof typeof refs) => (refs[name] ? files[name]! : null);
  return { summary, output: content('output'), errors: content('errors'), unreadable: content('unreadable') };
}

export interface Contents {
  ids: string[] | null;
  output?: string | null;
  errors?: string | null;
}

function open(content: string | null): (() => AsyncIterable<Uint8Array>) | null {
  return content === null ? null : () => bytesOf(content);
}

export function sourcesOf({ ids, output = null, errors = null }: Contents): ResultSources {
  return {
    input: open(ids && jsonl(...ids.map((id) => request(id)))),
    output: open(output),
    errors: open(errors),
  };
}

export async function collect(contents: Contents) {
  const { summary, output, errors, unreadable } = await collected(sourcesOf(contents));
  return { ...summary, output: output ?? '', errors: errors ?? '', unreadable, files: { output, errors } };
}

export function idsIn(content: string): string[] {
  return content
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { custom_id: string }).custom_id);
}
