/** Reads results from storage, line by line, in constant memory. */
import { z } from 'zod';
import type { FileRef } from '../contract/file-ref.js';
import { bounded } from '../contract/text.js';
import { isObject } from '../jsonl/json-value.js';
import { lineBlocks } from '../jsonl/lines.js';
import { parseLine } from '../jsonl/parse-line.js';
import { decompressed } from '../storage/gzip.js';
import type { Storage } from '../storage/storage.js';
import { statusCodeOf, judgeResult } from './judge-result.js';
import { structuredOutput } from './structured-output.js';

/** Why a request has no value, or none that fits the schema. */
export interface ResultError {
  /** HTTP status of the response; null if there was none. */
  readonly status: number | null;
  /**
   * The provider's code, such as `batch_expired`; the failure type, if the batch of a bulk batch failed; or one of this
   * library: `missing`, `unreadable`, `schema_mismatch`.
   */
  readonly code: string | null;
  readonly message: string;
}

export type Result<T> =
  | { readonly customId: string; readonly ok: true; readonly value: T }
  | { readonly customId: string; readonly ok: false; readonly error: ResultError };

export interface ReadResultsOptions<Schema extends z.ZodType> {
  readonly storage: Storage;
  /** Checks and types each value. Without it, values are `unknown`. */
  readonly schema?: Schema;
  /**
   * What the value is: the whole response body, or the JSON that the model wrote as its answer.
   *
   * @default 'body'
   */
  readonly value?: 'body' | 'structuredOutput';
}

/**
 * Streams the results of a batch or a bulk batch: all successes in the order of the output file, then all other
 * requests.
 *
 * @example
 * ```ts
 * for await (const result of readResults(await run.result(), { storage, schema: triage, value: 'structuredOutput' })) {
 *   if (result.ok) console.log(result.customId, result.value.category);
 * }
 * ```
 */
export async function* readResults<Schema extends z.ZodType = z.ZodUnknown>(
  result: { readonly output: FileRef | null; readonly errors: FileRef | null },
  options: ReadResultsOptions<Schema>,
): AsyncGenerator<Result<z.output<Schema>>> {
  const { storage, schema = z.unknown(), value = 'body' } = options;
  for (const file of [result.output, result.errors]) {
    if (!file) continue;
    for await (const lines of lineBlocks(decompressed(storage.read(file.uri), file.uri))) {
      for (const line of lines) {
        yield resultOf<z.output<Schema>>(parseLine(line).object, schema, value);
      }
    }
  }
}

function resultOf<T>(
  line: Record<string, unknown> | null,
  schema: z.ZodType,
  valueKind: 'body' | 'structuredOutput',
): Result<T> {
  if (line === null) {
    return { customId: '', ok: false, error: { status: null, code: 'unreadable', message: 'not a JSON object' } };
  }
  const customId = typeof line.custom_id === 'string' ? line.custom_id : '';
  const response = isObject(line.response) ? line.response : null;
  const status = typeof response?.status_code === 'number' ? response.status_code : null;
  if (judgeResult(statusCodeOf(response?.status_code), line.error) !== 'succeeded') {
    return { customId, ok: false, error: errorOf(line.error, response?.body, status) };
  }
  const parsed = schema.safeParse(valueKind === 'body' ? response?.body : structuredOutput(response?.body));
  if (parsed.success) return { customId, ok: true, value: parsed.data as T };
  const [issue] = parsed.error.issues;
  const message = `${issue?.path.join('.') || valueKind}: ${issue?.message ?? 'does not fit the schema'}`;
  return { customId, ok: false, error: { status, code: 'schema_mismatch', message: bounded(message, 300) } };
}

/** The error of the line, or of the response's body, whichever has a message. */
function errorOf(lineError: unknown, body: unknown, status: number | null): ResultError {
  const candidates = [lineError, isObject(body) ? body.error : null];
  const error = candidates.find((candidate) => isObject(candidate) && candidate.message);
  const { code, message } = isObject(error) ? error : { code: null, message: null };
  return {
    status,
    code: typeof code === 'string' ? code : null,
    message: bounded(typeof message === 'string' ? message : 'no error message'),
  };
}
