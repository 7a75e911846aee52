/** Results from storage, line by line, in constant memory. */
import { z } from 'zod';
import type { FileRef } from '../contract/file-ref.js';
import { bounded } from '../contract/text.js';
import { judgeResult } from './judge-result.js';
import { lineBlocks } from '../jsonl/lines.js';
import { isObject, parseLine } from '../jsonl/parse-line.js';
import { structuredOutput } from './structured-output.js';
import { BATCH_LIMITS } from '../contract/limits.js';
import { decompressed } from '../storage/gunzip.js';
import type { Storage } from '../storage/storage.js';

/** Why a request has no (fitting) value. */
export interface ResultError {
  /** HTTP status of the answer; null where there was none. */
  readonly status: number | null;
  /** The provider's code, such as `batch_expired`, or ours: `missing`, `unreadable`, `schema_mismatch`. */
  readonly code: string | null;
  readonly message: string;
}

export type Result<T> =
  | { readonly customId: string; readonly ok: true; readonly value: T }
  | { readonly customId: string; readonly ok: false; readonly error: ResultError };

export interface ReadResultsOptions<Schema extends z.ZodType> {
  readonly storage: Storage;
  /** Checks and types each value. Default: any. */
  readonly schema?: Schema;
  /** What the value is: the whole response body, or the JSON that the model wrote as its answer. Default `'body'`. */
  readonly of?: 'body' | 'structuredOutput';
}

/**
 * Streams the results of a batch or a bulk batch: first all answers in the order of the output file, then what has none.
 *
 * @example
 * ```ts
 * for await (const result of readResults(await run.result(), { storage, schema: triage, of: 'structuredOutput' })) {
 *   if (result.ok) console.log(result.customId, result.value.category);
 * }
 * ```
 */
export async function* readResults<Schema extends z.ZodType = z.ZodUnknown>(
  result: { readonly output: FileRef | null; readonly errors: FileRef | null },
  options: ReadResultsOptions<Schema>,
): AsyncGenerator<Result<z.output<Schema>>> {
  const { storage, schema = z.unknown(), of = 'body' } = options;
  for (const file of [result.output, result.errors]) {
    if (!file) continue;
    for await (const lines of lineBlocks(decompressed(storage.read(file.uri), file.uri))) {
      for (const line of lines) {
        yield resultOf<z.output<Schema>>(parseLine(line, BATCH_LIMITS.lineBytes).object ?? null, schema, of);
      }
    }
  }
}

function resultOf<T>(
  line: Record<string, unknown> | null,
  schema: z.ZodType,
  of: 'body' | 'structuredOutput',
): Result<T> {
  const customId = typeof line?.['custom_id'] === 'string' ? line['custom_id'] : '';
  if (line === null)
    return { customId, ok: false, error: { status: null, code: 'unreadable', message: 'not a JSON line' } };
  const response = isObject(line['response']) ? line['response'] : null;
  const status = typeof response?.['status_code'] === 'number' ? response['status_code'] : null;
  if (judgeResult(line) !== 'succeeded') return { customId, ok: false, error: errorOf(line, status) };
  const body = response?.['body'];
  const reading = schema.safeParse(of === 'body' ? body : structuredOutput(body));
  if (reading.success) return { customId, ok: true, value: reading.data as T };
  const [issue] = reading.error.issues;
  const message = `${issue?.path.join('.') || of}: ${issue?.message ?? 'does not fit'}`;
  return { customId, ok: false, error: { status, code: 'schema_mismatch', message: bounded(message, 300) } };
}

function errorOf(line: Record<string, unknown>, status: number | null): ResultError {
  const response = isObject(line['response']) ? line['response'] : null;
  const body = isObject(response?.['body']) ? response['body'] : null;
  const error = [line['error'], body?.['error']].find((candidate) => isObject(candidate) && candidate['message']);
  const { code, message } = isObject(error) ? error : { code: null, message: null };
  return {
    status,
    code: typeof code === 'string' ? code : null,
    message: bounded(typeof message === 'string' ? message : 'no reason given'),
  };
}
