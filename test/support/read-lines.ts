import { lineBlocks, type LineOptions } from '../../src/jsonl/lines.js';

/** The lines of a source, each as a plain object. */
export async function linesOf(source: AsyncIterable<Uint8Array>, options?: LineOptions) {
  const found: {
    number: number;
    offset: number;
    text: string;
    bytes: string;
    problem: string | null;
    byteLength: number;
  }[] = [];
  for await (const lines of lineBlocks(source, options)) {
    for (const line of lines) {
      const { number, offset, text, problem, byteLength } = line;
      found.push({ number, offset, text, problem, byteLength, bytes: line.bytes.toString('hex') });
    }
  }
  return found;
}
