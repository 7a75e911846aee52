import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitRequests } from '../../../src/requests/split.js';
import { split, LIMITS, request } from '../../support/splitting.js';
import { chunked, textOf } from '../../support/streams.js';
import { fuzzRuns } from '../../support/fuzz.js';

describe('split', () => {
  test('any mix of models, endpoints and sizes → each request in one part of its kind, in order, within the limits', async () => {
    const arbitrary = fc.array(
      fc.record({
        model: fc.constantFrom('a', 'b', 'ä'),
        url: fc.constantFrom('/v1/chat/completions', '/v1/embeddings'),
        pad: fc.string({ maxLength: 60, unit: 'grapheme' }),
        inputs: fc.integer({ min: 1, max: 4 }),
      }),
      { minLength: 1, maxLength: 60 },
    );
    const limits = { requests: 7, bytes: 1_500, embeddingInputs: 5, lineBytes: 10_000, estimatedTokens: 300 };
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.integer({ min: 1, max: 300 }), async (requests, chunk) => {
        const all = requests.map(({ model, url, pad, inputs }, index) =>
          request(`r${index}`, model, url, { pad, input: Array.from({ length: inputs }, () => 'x') }),
        );
        const { parts, faults, linesOf } = await split([all.join('')], { limits }, chunk);
        expect(faults.total).toBe(0);
        const seen = parts.flatMap((part) =>
          linesOf(part).map((line) => ({
            part,
            line,
            value: JSON.parse(line) as { url: string; body: { model: string } },
          })),
        );
        expect(seen.map(({ line }) => `${line}\n`).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
          all.toSorted((a, b) => (a < b ? -1 : 1)),
        );
        for (const { part, value } of seen) {
          expect([part.endpoint, part.model]).toEqual([value.url, value.body.model]);
        }
        for (const part of parts) {
          expect(part.requests).toBe(linesOf(part).length);
          expect(part.requests).toBeLessThanOrEqual(limits.requests);
          expect(part.file.bytes).toBeLessThanOrEqual(limits.bytes);
          expect(part.estimatedTokens).toBeLessThanOrEqual(limits.estimatedTokens);
          expect(part.embeddingInputs).toBeLessThanOrEqual(limits.embeddingInputs);
        }
        for (const key of new Set(parts.map(({ model, endpoint }) => `${model}${endpoint}`))) {
          const group = parts.filter(({ model, endpoint }) => `${model}${endpoint}` === key);
          const order = group.flatMap(linesOf).map((line) => all.indexOf(`${line}\n`));
          expect(order).toEqual(order.toSorted((a, b) => a - b));
        }
      }),
      { numRuns: fuzzRuns(100) },
    );
  });

  test('hostile bytes → faults or parts, never a crash, every line of a part is a request of the input', async () => {
    const bytes = fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(Buffer.from(request('x')))), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(bytes, async (pieces) => {
        const text = Buffer.concat(pieces.flatMap((piece) => [piece, Buffer.from('\n')]));
        const result = await splitRequests([{ uri: 'file:///x', open: () => chunked(text, 7) }], {
          limits: LIMITS,
          missingCustomIds: 'refuse',
          writePart: async (_, content) => {
            expect(await textOf(content)).toMatch(/^(\{"custom_id":"x".*\}\n)*$/);
            return { uri: '', bytes: 0, lines: 0, sha256: '' };
          },
        });
        expect(result.faults.total + result.parts.length).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: fuzzRuns(100) },
    );
  });
});
