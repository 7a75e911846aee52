import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linesOf } from '../../support/read-lines.js';
import { bytesOf, cut } from '../../support/streams.js';
import { FUZZ_RUNS } from '../../support/fuzz.js';

describe('lines', () => {
  it('lines: any bytes, cut anywhere → the same lines, and no byte is lost', async () => {
    const byte = fc.oneof(fc.constantFrom(10, 10, 13, 32, 0xef, 0xbb, 0xbf, 0xc3, 0xa9, 123, 34), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(
        fc.array(byte, { maxLength: 200 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        fc.integer({ min: 1, max: 40 }),
        async (values, places, lineBytes) => {
          const content = Buffer.from(values);
          const whole = await linesOf(bytesOf(content), { lineBytes });
          expect(await linesOf(cut(content, places), { lineBytes })).toEqual(whole);
          expect(whole).toEqual(plainly(content, lineBytes));
        },
      ),
      { numRuns: FUZZ_RUNS },
    );
  });
});

/** The same split, written for clarity only. */
function plainly(content: Buffer, lineBytes: number) {
  let next = 0;
  return content
    .toString('latin1')
    .split('\n')
    .map((line, index) => {
      const latin1 = index === 0 ? line.replace(/^\u00EF\u00BB\u00BF/, '') : line;
      const offset = next + line.length - latin1.length;
      next += line.length + 1;
      return { number: index + 1, offset, latin1 };
    })
    .map(({ number, offset, latin1 }) => ({ number, offset, bytes: Buffer.from(latin1.replace(/\r$/, ''), 'latin1') }))
    .filter(({ bytes }) => bytes.length > lineBytes || !/^[ \t\r]*$/.test(bytes.toString('latin1')))
    .map(({ number, offset, bytes }) => {
      const isTooLong = bytes.length > lineBytes;
      const isUtf8 = Buffer.from(bytes.toString()).equals(bytes);
      return {
        number,
        offset,
        byteLength: bytes.length,
        problem: isTooLong ? 'tooLong' : isUtf8 ? null : 'notUtf8',
        text: !isTooLong && isUtf8 ? bytes.toString() : '',
        bytes: isTooLong ? '' : bytes.toString('hex'),
      };
    });
}
