import { describe, expect, it } from 'vitest';
import { linesOf } from '../../support/read-lines.js';
import { bytesOf } from '../../support/streams.js';

async function texts(...parts: (string | Uint8Array)[]): Promise<[number, string][]> {
  return (await linesOf(bytesOf(...parts))).map(({ number, text }) => [number, text]);
}

describe('lines', () => {
  it.each<[string, [number, string][]]>([
    ['', []],
    ['\n', []],
    ['a', [[1, 'a']]],
    ['a\n', [[1, 'a']]],
    ['a\nb', [[1, 'a'], [2, 'b']]],
    ['a\r\nb\r\n', [[1, 'a'], [2, 'b']]],
    ['a\rb\n', [[1, 'a\rb']]],
    ['\n \t\r\n\na\n\n', [[4, 'a']]],
    ['\uFEFFa\nb', [[1, 'a'], [2, 'b']]],
    ['\uFEFF\na', [[2, 'a']]],
    ['a\n\uFEFFb', [[1, 'a'], [2, '\uFEFFb']]],
    ['é€😀\n\u2028x\n', [[1, 'é€😀'], [2, '\u2028x']]],
  ])('lines: %j → %j', async (content, expected) => {
    expect(await texts(content)).toEqual(expected);
  }); // prettier-ignore

  it('lines: a character, a CRLF and a byte order mark cut in two → whole again', async () => {
    const bytes = Buffer.from('\uFEFFé€\r\n😀\r\n');
    expect(await texts(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual([
      [1, 'é€'],
      [2, '😀'],
    ]);
  });

  it('lines: invalid UTF-8 → a problem of that line alone, with its bytes', async () => {
    const found = await linesOf(bytesOf('é\n', Uint8Array.of(0x61, 0xff, 10), 'ü\n'));
    expect(found.map(({ problem, text, bytes }) => [problem, text, bytes])).toEqual([
      [null, 'é', 'c3a9'],
      ['notUtf8', '', '61ff'],
      [null, 'ü', 'c3bc'],
    ]);
  });

  it('lines: at the limit → a line; one byte more → too long, with its length, whatever the chunks', async () => {
    const content = `${'a'.repeat(10)}\r\n${'b'.repeat(11)}\n${'c'.repeat(99)}\nd`;
    for (const size of [1, 3, 12, 200]) {
      const parts = content.match(new RegExp(`[^]{1,${size}}`, 'g'))!;
      const found = await linesOf(bytesOf(...parts), { lineBytes: 10 });
      expect(found.map(({ number, problem, text }) => [number, problem, text])).toEqual([
        [1, null, 'a'.repeat(10)],
        [2, 'tooLong', ''],
        [3, 'tooLong', ''],
        [4, null, 'd'],
      ]);
      expect(found[2]!.byteLength).toBe(99);
    }
  });

  it('lines: one of 2 GB → reported with its length, in the memory of a chunk', async () => {
    const chunk = Buffer.alloc(1 << 20, 'x');
    const count = 2_048;
    let peak = 0;
    const source = (async function* () {
      for (let i = 0; i < count; i++) {
        yield chunk;
        if (i % 64 === 0) peak = Math.max(peak, process.memoryUsage().rss);
      }
      yield Buffer.from('\nafter\n');
    })();
    const before = process.memoryUsage().rss;
    const found = await linesOf(source, { lineBytes: 8 << 20 });
    expect(found.map(({ problem, text, byteLength }) => [problem, text, byteLength])).toEqual([
      ['tooLong', '', count * 2 ** 20],
      [null, 'after', 5],
    ]);
    expect(peak - before).toBeLessThan(100 << 20);
  });

  it('pieces of lines that are too long → every byte of them, before the line itself', async () => {
    const long = ['x'.repeat(30), 'y'.repeat(25)];
    const content = Buffer.from(`ab\n${long[0]}\r\ncd\n${long[1]}`);
    for (const size of [1, 7, 1_000]) {
      const pieces: string[] = [];
      const parts = Array.from({ length: Math.ceil(content.length / size) }, (_, at) =>
        content.subarray(at * size, (at + 1) * size),
      );
      const onTooLong = (piece: Buffer) => void pieces.push(piece.toString());
      const found = await linesOf(bytesOf(...parts), { lineBytes: 10, onTooLong });
      expect(pieces.join('').replace('\r', '')).toBe(long.join(''));
      expect(found.map(({ problem }) => problem)).toEqual([null, 'tooLong', null, 'tooLong']);
    }
  });
});
