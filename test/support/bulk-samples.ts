import type { LineSource } from '../../src/jsonl/lines.js';

export async function* chunked(content: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

export function sourceOf(uri: string, text: string, chunk = 1_000): LineSource {
  return { uri, open: () => chunked(Buffer.from(text), chunk) };
}

export async function collected(content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Runs of a property: `LLM_JOBS_FUZZ_RUNS` for a long run. */
export const fuzzRuns = (usual: number): number => Number(process.env.LLM_JOBS_FUZZ_RUNS ?? usual);
