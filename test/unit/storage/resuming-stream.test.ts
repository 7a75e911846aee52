import { describe, expect, test } from 'vitest';
import { resumingStream, type Interruption, type ResumingStreamOptions } from '../../../src/storage/resuming-stream.js';

const CONTENT = Buffer.from('0123456789');

/** The content between two offsets; afterwards the connection ends, or breaks with an error. */
async function* connection(from: number, to: number, error?: Error): AsyncGenerator<Uint8Array> {
  if (to > from) yield CONTENT.subarray(from, to);
  if (error) throw error;
}

/** Reads a stream whose connections are given; records what it asked for. */
async function read(
  options: Partial<ResumingStreamOptions> & {
    readonly connections: ((offset: number) => AsyncIterable<Uint8Array> | null)[];
  },
) {
  const { start = 0, connections } = options;
  const reopenedAt: number[] = [];
  const pauses: number[] = [];
  const interruptions: Interruption[] = [];
  const chunks: Uint8Array[] = [];
  const stream = resumingStream({
    first: connections[0]?.(start) ?? connection(0, 0),
    end: CONTENT.length,
    reopen: async (offset) => connections[reopenedAt.push(offset)]?.(offset) ?? null,
    onInterruption: (interruption) => void interruptions.push(interruption),
    onGivingUp: () => {
      throw new Error('given up');
    },
    pause: async (emptyConnections) => void pauses.push(emptyConnections),
    ...options,
  });
  for await (const chunk of stream) chunks.push(chunk);
  return { text: Buffer.concat(chunks).toString(), reopenedAt, pauses, interruptions };
}

describe('resuming stream', () => {
  test('one connection to the end → its content, without a pause', async () => {
    expect(await read({ connections: [(offset) => connection(offset, 10)] })).toEqual({
      text: '0123456789',
      reopenedAt: [],
      pauses: [],
      interruptions: [],
    });
  });

  test('a connection that breaks and one that ends early → opened again where they stopped', async () => {
    const error = new Error('reset');
    const result = await read({
      start: 2,
      connections: [(at) => connection(at, 5, error), (at) => connection(at, 7), (at) => connection(at, 10)],
    });
    expect(result).toEqual({
      text: '23456789',
      reopenedAt: [5, 7],
      pauses: [0, 0],
      interruptions: [
        { error: { thrown: error }, offset: 5 },
        { error: null, offset: 7 },
      ],
    });
  });

  test('unknown end → the first connection that ends without an error is the last', async () => {
    const connections = [
      (at: number) => connection(at, 4, new Error('reset')),
      (at: number) => connection(at, 6),
      (at: number) => connection(at, 10),
    ];
    expect((await read({ end: null, connections })).text).toBe('012345');
  });

  test('nothing follows at the offset → ends', async () => {
    expect((await read({ connections: [(at) => connection(at, 6), () => null] })).text).toBe('012345');
  });

  test('connections without data → longer and longer pauses, and given up after the fifth', async () => {
    const pauses: number[] = [];
    const connections = [3, ...Array.from({ length: 9 }, () => 0)].map(
      (length) => (at: number) => connection(at, at + length),
    );
    const options = { connections, pause: async (count: number) => void pauses.push(count) };
    await expect(read(options)).rejects.toThrow('given up');
    expect(pauses).toEqual([0, 1, 2, 3, 4]);
  });

  test('given up, but the short content is accepted → ends without an error', async () => {
    const connections = Array.from({ length: 9 }, () => (at: number) => connection(at, Math.max(at, 3)));
    expect((await read({ connections, onGivingUp: () => {} })).text).toBe('012');
  });

  test('an interruption that must not be resumed → its error', async () => {
    const connections = [(at: number) => connection(at, 3, new Error('changed'))];
    const reading = read({
      connections,
      onInterruption: ({ error }) => {
        throw error?.thrown;
      },
    });
    await expect(reading).rejects.toThrow('changed');
  });

  test('opening it again fails → the error', async () => {
    const connections = [
      (at: number) => connection(at, 3),
      () => {
        throw new Error('gone');
      },
    ];
    await expect(read({ connections })).rejects.toThrow('gone');
  });

  test('a reader that stops → the connection is closed', async () => {
    let isClosed = false;
    async function* first() {
      try {
        yield CONTENT;
      } finally {
        isClosed = true;
      }
    }
    const stream = resumingStream({
      first: first(),
      end: 20,
      reopen: async () => null,
      onInterruption: () => {},
      onGivingUp: () => {},
      pause: async () => {},
    });
    for await (const chunk of stream) {
      expect(chunk).toHaveLength(10);
      break;
    }
    expect(isClosed).toBe(true);
  });
});
