import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decompressed } from '../../../src/storage/gzip.js';
import { StorageError } from '../../../src/storage/index.js';

const URI = 'file:///data/input.jsonl.gz';
const content = Buffer.from('{"custom_id":"a"}\n'.repeat(20_000));
const gzip = gzipSync(content);

async function* pieces(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

function* cutInto(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('decompressed', () => {
  it.each([1, 2, 3, 1_000])('gzip: in pieces of %d bytes → its content', async (size) => {
    const read = await bytesOf(decompressed(pieces(...cutInto(gzip, size)), URI));
    expect(read.equals(content)).toBe(true);
  });

  it.each([1, 2, 3, 1_000])(
    'memory that is filled again, in pieces of %d bytes → the content all the same',
    async (size) => {
      const again = async function* (bytes: Uint8Array) {
        const memory = Buffer.alloc(size);
        for (const piece of cutInto(bytes, size)) {
          memory.set(piece);
          yield memory.subarray(0, piece.length);
        }
      };
      for (const bytes of [gzip, content]) {
        const read: Buffer[] = [];
        for await (const part of decompressed(again(bytes), URI)) read.push(Buffer.from(part));
        expect(Buffer.concat(read).equals(content)).toBe(true);
      }
    },
  );

  it('gzip: several members, at once and apart, and zeros at the end → one content', async () => {
    const twice = Buffer.concat([content, content]);
    expect((await bytesOf(decompressed(pieces(gzip, gzip), URI))).equals(twice)).toBe(true);
    const joined = Buffer.concat([gzip, gzip, Buffer.alloc(512)]);
    expect((await bytesOf(decompressed(pieces(joined), URI))).equals(twice)).toBe(true);
  });

  it('plain: nothing, or only the beginning of the magic number → the same', async () => {
    for (const bytes of [[], [0x1f], [0x1f, 0x8b]]) {
      expect([...(await bytesOf(decompressed(pieces(Buffer.from(bytes)), URI)))]).toEqual(bytes);
    }
  });

  it.each([
    ['cut', [gzip.subarray(0, -3)]],
    ['cut in the second member', [gzip, gzip.subarray(0, 30)]],
    ['damaged', [gzip.subarray(0, 60), randomBytes(100), gzip.subarray(160)]],
    ['followed by something else', [gzip, Buffer.from('{"custom_id":"b"}\n')]],
    ['with a wrong checksum', [gzip.subarray(0, -8), Buffer.alloc(4, 7), gzip.subarray(-4)]],
  ])('gzip: %s → Corrupt, named, not retryable', async (_, parts) => {
    const error = await bytesOf(decompressed(pieces(...parts), URI)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ code: 'Corrupt', uri: URI, retryable: false });
    expect(String(error)).toContain(`${URI} is damaged or incomplete gzip data: `);
  });

  it('source: throws → its own error, in plain and in gzip', async () => {
    const broken = new Error('connection reset');
    for (const start of [Buffer.from('{"a":1}\n'), gzip.subarray(0, 200)]) {
      const source = (async function* () {
        yield start;
        throw broken;
      })();
      await expect(bytesOf(decompressed(source, URI))).rejects.toBe(broken);
    }
  });

  it('reader: leaves early → the source is closed', async () => {
    for (const piece of [content, gzip]) {
      let closed = false;
      const endless = (async function* () {
        try {
          for (;;) yield piece;
        } finally {
          closed = true;
        }
      })();
      for await (const chunk of decompressed(endless, URI)) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      expect(closed).toBe(true);
    }
  });

  it('bomb: 0.5 MB that swell to 500 MB → never more than a few pieces in memory', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    let bytes = 0;
    let largest = 0;
    let peak = 0;
    const before = process.memoryUsage().rss;
    for await (const chunk of decompressed(pieces(...Array.from({ length: 10 }, () => bomb)), URI)) {
      bytes += chunk.length;
      largest = Math.max(largest, chunk.length);
      peak = Math.max(peak, process.memoryUsage().rss);
    }
    expect(bytes).toBe(500_000_000);
    expect(largest).toBeLessThanOrEqual(256 * 1024);
    expect(peak - before).toBeLessThan(150_000_000);
  });
});
