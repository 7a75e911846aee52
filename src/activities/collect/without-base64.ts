/** Some providers return a result file as base64 text. */
import { isUtf8 } from 'node:buffer';

/** A result file of a fine-tuning job has a few kilobytes; a larger one is not examined. */
const MAX_EXAMINED_BYTES = 4 * 1024 * 1024;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * The content of a CSV file, decoded if it is base64. A CSV file contains commas, which base64 does not have, so the
 * content is decoded only if it has none and decodes to UTF-8 text with a comma and a line break.
 */
export async function* withoutBase64(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content) {
    size += chunk.length;
    chunks.push(chunk);
    if (size > MAX_EXAMINED_BYTES) {
      yield* chunks;
      chunks.length = 0;
    }
  }
  if (size > MAX_EXAMINED_BYTES || size === 0) {
    yield* chunks;
    return;
  }
  const bytes = Buffer.concat(chunks);
  yield decoded(bytes) ?? bytes;
}

/** The decoded text; null if the content is not a CSV file in base64. */
function decoded(bytes: Buffer): Buffer | null {
  const text = bytes.toString('latin1').replace(/\s+/g, '');
  if (text === '' || !BASE64.test(text)) return null;
  const content = Buffer.from(text, 'base64');
  const isCsv = isUtf8(content) && content.includes(',') && content.includes('\n') && !content.includes(0);
  return isCsv ? content : null;
}
