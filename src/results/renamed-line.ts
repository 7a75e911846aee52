import type { Line } from '../jsonl/lines.js';
import { parseLine } from '../jsonl/parse-line.js';
import { fieldLocator } from '../jsonl/scan/field-scanner.js';

/** Makes a function that returns a line with another `custom_id`, and all other bytes as they are. */
export function customIdWriter(): (line: Line, customId: string) => Buffer | null {
  const locate = fieldLocator(['custom_id']);
  return (line, customId) => {
    const { block, start, end } = line;
    const id = JSON.stringify(customId);
    const place = locate(line);
    if (place) {
      return Buffer.concat([block.subarray(start, place.start), Buffer.from(id), block.subarray(place.end, end)]);
    }
    return rewritten(line, customId);
  };
}

/** For a line with several `custom_id`s, or one that the scanner leaves to `JSON.parse`. */
function rewritten(line: Line, customId: string): Buffer | null {
  try {
    const { object } = parseLine(line);
    return object && Buffer.from(JSON.stringify({ ...object, custom_id: customId }));
  } catch {
    // It is nested too deeply to be written again.
    return null;
  }
}
