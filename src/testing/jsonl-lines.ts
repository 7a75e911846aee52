import { createReadStream } from 'node:fs';

/** One line of a file, with where it lies, so that it can be read again alone. */
export interface RawLine {
  /** Counted from 1. */
  readonly number: number;
  readonly text: string;
  /** Byte offset of the line in the file. */
  readonly offset: number;
  /** Bytes, without the line break. */
  readonly length: number;
}

/** Reads a file line by line; memory is bounded by the longest line. An empty last line is not a line. */
export async function* readLines(path: string): AsyncGenerator<RawLine> {
  let rest: Buffer[] = [];
  let restLength = 0;
  let offset = 0;
  let number = 0;
  const line = (bytes: Buffer): RawLine => {
    const raw = { number: ++number, text: bytes.toString('utf8'), offset, length: bytes.length };
    offset += bytes.length + 1;
    return raw;
  };
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const tail = chunk.subarray(from, end);
      yield line(restLength === 0 ? tail : Buffer.concat([...rest, tail]));
      rest = [];
      restLength = 0;
      from = end + 1;
    }
    if (from < chunk.length) {
      rest.push(Buffer.from(chunk.subarray(from)));
      restLength += chunk.length - from;
    }
  }
  if (restLength > 0) yield line(Buffer.concat(rest));
}
