/** Byte streams for tests, and what they contain. */
import type { LineSource } from '../../src/jsonl/lines.js';

/** The parts as they are, texts as texts. */
export async function* chunks(...parts: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  for (const part of parts) yield part;
}

/** The parts as bytes, texts encoded. */
export async function* bytesOf(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part;
}

/** The content in chunks of one size; the last may be shorter. */
export async function* chunked(content: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

/** The content cut at the given offsets, each taken modulo its length. */
export async function* cut(content: Uint8Array, offsets: readonly number[]): AsyncGenerator<Uint8Array> {
  const ends = offsets.map((offset) => offset % (content.length + 1)).toSorted((a, b) => a - b);
  let start = 0;
  for (const end of [...ends, content.length]) {
    yield content.subarray(start, end);
    start = end;
  }
}

/** @param source null is an empty one */
export async function textOf(source: AsyncIterable<Uint8Array> | null): Promise<string> {
  return Buffer.concat(await all(source ?? [])).toString();
}

export async function all<T>(source: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/** A source of lines that gives its text in chunks of one size. */
export function sourceOf(uri: string, text: string, chunk = 1_000): LineSource {
  return { uri, open: () => chunked(Buffer.from(text), chunk) };
}
