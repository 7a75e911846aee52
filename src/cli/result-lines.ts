/** Results as lines of JSON or of CSV. */
import type { Result } from '../results/read-results.js';

export const RESULT_FORMATS = ['jsonl', 'csv'] as const;
export type ResultFormat = (typeof RESULT_FORMATS)[number];

export interface Joined {
  readonly result: Result<unknown>;
  /** The line of the input; null if there is none. Absent where inputs are not asked for. */
  readonly request?: unknown;
}

export interface ResultLinesOptions {
  readonly format: ResultFormat;
  /** Whether CSV has a column for the request. */
  readonly withInput: boolean;
}

/** Lines without line breaks at their ends. A line of CSV may contain some. */
export async function* resultLines(
  all: AsyncIterable<Joined>,
  { format, withInput }: ResultLinesOptions,
): AsyncGenerator<string> {
  if (format === 'jsonl') {
    for await (const { result, request } of all) {
      yield JSON.stringify(request === undefined ? result : { ...result, request });
    }
    return;
  }
  // Loaded on demand, since most commands write no CSV.
  const { stringify } = await import('csv-stringify/sync');
  const csvLine = (cells: readonly string[]): string => stringify([cells]).slice(0, -1);
  yield csvLine([...COLUMNS, ...(withInput ? ['request'] : [])]);
  for await (const { result, request } of all) {
    yield csvLine([...cellsOf(result), ...(withInput ? [cell(request ?? '')] : [])]);
  }
}

const COLUMNS = ['customId', 'ok', 'value', 'status', 'code', 'message'];

function cellsOf(result: Result<unknown>): string[] {
  if (result.ok) return [result.customId, 'true', cell(result.value), '', '', ''];
  const { status, code, message } = result.error;
  return [result.customId, 'false', '', String(status ?? ''), code ?? '', message];
}

/** A text as it is, all else as JSON. */
const cell = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
