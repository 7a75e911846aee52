/** The `custom_id` of requests, for everything that reads an input again after it was checked. */
import { lineBlocks, RESULT_LINES } from '../jsonl/lines.js';
import { fieldScanner } from '../jsonl/scan/field-scanner.js';

/** The `custom_id` of a request without one, by the number of its line over all files, from 1. */
export function lineId(number: number): string {
  return `line-${number}`;
}

/**
 * Calls back for each line of a checked input with its `custom_id`, or null where it has none that is a string. Most
 * lines begin with their `custom_id`, and then the rest of the line is not read, which takes a tenth of the time. It
 * would be the wrong one of a line with two of them, so the check refuses such lines.
 */
export async function forEachCustomId(
  content: AsyncIterable<Uint8Array>,
  callback: (id: string | null, lineNumber: number) => void,
): Promise<void> {
  const scan = fieldScanner([['custom_id']], { stopWhenFound: true });
  for await (const lines of lineBlocks(content, RESULT_LINES)) {
    for (const line of lines) {
      const id = scan(line)?.[0];
      callback(typeof id === 'string' ? id : null, line.number);
    }
  }
}
