import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { decompressed } from '../../../src/storage/gzip.js';
import { RUNS } from '../../support/fuzz.js';
import { all, chunked } from '../../support/streams.js';

it('decompressed: any bytes that do not begin as gzip → the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 50 }), fc.integer({ min: 1, max: 9 }), async (content, size) => {
      fc.pre(!(content[0] === 0x1f && content[1] === 0x8b));
      const read = Buffer.concat(await all(decompressed(chunked(content, size), 'file:///data/input.jsonl.gz')));
      expect(read.equals(content)).toBe(true);
    }),
    RUNS,
  );
});
