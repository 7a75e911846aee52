/** Recognises what is served in the place of a result file: a login page, or an error with a 200. */
import { isObject } from '../../jsonl/json-value.js';

/** Nothing that is served in the place of a file is longer than this; a longer start is that of a file. */
const MAX_EXAMINED_BYTES = 64 * 1024;
const NEWLINE = 10;

/** What a result file contains: lines of JSON, or comma-separated values. */
export type ResultFormat = 'jsonl' | 'csv';

/**
 * The same content, unless it is something else in the place of the file: then nothing, and `report` is called with what
 * it is. Only a start that does not look like the file is held back.
 */
export async function* unlessForeign(
  content: AsyncIterable<Uint8Array>,
  format: ResultFormat,
  report: (what: string) => void,
): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] | null = [];
  let size = 0;
  for await (const chunk of content) {
    if (held === null) {
      yield chunk;
      continue;
    }
    held.push(chunk);
    size += chunk.length;
    const start = Buffer.concat(held);
    if (startsAsPage(start)) {
      report('an HTML page');
      return;
    }
    if (size < MAX_EXAMINED_BYTES && !beginsAsFile(start, format)) continue;
    yield start;
    held = null;
  }
  if (held === null || size === 0) return;
  const whole = Buffer.concat(held);
  if (isErrorDocument(whole, format)) report('a JSON document without results');
  else yield whole;
}

function startsAsPage(start: Buffer): boolean {
  return textOf(start.subarray(0, 1_024)).startsWith('<');
}

/** Whether the first line is whole and is one of the file. */
function beginsAsFile(start: Buffer, format: ResultFormat): boolean {
  const text = textOf(start.subarray(0, 1_024));
  if (format === 'csv') return text !== '' && !text.startsWith('{');
  const end = start.indexOf(NEWLINE);
  return end !== -1 && isResult(parsed(textOf(start.subarray(0, end))));
}

/** Whether the whole content is one JSON object, on one line or several, that is no line of the file. */
function isErrorDocument(whole: Buffer, format: ResultFormat): boolean {
  const document = parsed(textOf(whole));
  return isObject(document) && (format === 'csv' || !isResult(document));
}

function isResult(value: unknown): boolean {
  return isObject(value) && ('custom_id' in value || 'response' in value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The text without a byte order mark and white space around it. */
function textOf(bytes: Buffer): string {
  return bytes
    .toString('utf8')
    .replace(/^\u{FEFF}/u, '')
    .trim();
}
