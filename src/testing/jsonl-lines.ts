import { createReadStream } from 'node:fs';
import { isObject, type JsonObject } from './body-params.js';

const LINE_FEED = 10;
const CHUNK_BYTES = 1 << 20;

/** One line of a file, with its position, so that it can be read again without the rest. */
interface FileLine {
  /** Counted from 1. */
  readonly number: number;
  readonly text: string;
  /** Byte offset in the file. */
  readonly offset: number;
  /** Bytes, without the line break. */
  readonly length: number;
}

/** Reads a file line by line; memory is bounded by the longest line. An empty last line does not count. */
export async function* readLines(path: string): AsyncGenerator<FileLine> {
  let rest: Buffer[] = [];
  let restLength = 0;
  let offset = 0;
  let number = 0;
  const line = (bytes: Buffer): FileLine => {
    number += 1;
    const next = { number, text: bytes.toString('utf8'), offset, length: bytes.length };
    offset += bytes.length + 1;
    return next;
  };
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
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

/** The object in a line of JSONL; undefined for any other text. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
