/** Splits requests into parts that a test can read. */
import type { Part, PartHead } from '../../src/contract/part.js';
import { splitRequests, type SplitOptions } from '../../src/requests/split.js';
import { sourceOf, textOf } from './streams.js';

export const LIMITS = { requests: 100, bytes: 1_000_000, embeddingInputs: 100, lineBytes: 10_000 };

export async function split(files: readonly string[], options: Partial<SplitOptions> = {}, chunk = 1_000) {
  const written = new Map<number, { head: PartHead; text: string }>();
  const result = await splitRequests(
    files.map((text, index) => sourceOf(`file:///in/${index}.jsonl`, text, chunk)),
    {
      limits: LIMITS,
      missingCustomIds: 'refuse',
      writePart: async (head, content) => {
        const text = await textOf(content);
        written.set(head.number, { head, text });
        return {
          uri: `part:${head.number}`,
          bytes: Buffer.byteLength(text),
          lines: text.split('\n').length - 1,
          sha256: '',
        };
      },
      ...options,
    },
  );
  return { ...result, linesOf: (part: Part) => (written.get(part.number)?.text ?? '').split('\n').slice(0, -1) };
}

export const request = (id: string, model = 'm', url = '/v1/chat/completions', body: object = {}) =>
  `${JSON.stringify({ custom_id: id, method: 'POST', url, body: { model, ...body } })}\n`;
