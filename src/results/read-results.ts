/** Reads results from storage, line by line, in constant memory. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { FileRef } from '../contract/file-ref.js';
import { bounded } from '../contract/text.js';
import { isObject } from '../jsonl/json-value.js';
import type { StructuredOutputPlace } from '../contract/bulk-batch.js';
import { lineBlocks, RESULT_LINES } from '../jsonl/lines.js';
import { parseLine } from '../jsonl/parse-line.js';
import { readChecked } from '../storage/checked-file.js';
import { decompressed } from '../storage/gzip.js';
import type { Storage } from '../storage/storage.js';
import { type Judgement, judgeResult } from './judge-result.js';
import { lineFailure } from './line-failures.js';
import { answerText, structuredOutput, type StructuredOutput } from './structured-output.js';

/** Why a request has no value, or none that fits the schema. */
export interface ResultError {
  /** HTTP status of the response; null if there was none. */
  readonly status: number | null;
  /**
   * The provider's code, such as `batch_expired`; the failure type, if the batch of a bulk batch failed; or one of this
   * library: `missing`, `unreadable`, `no_body`, `refused`, `filtered`, `truncated` (and therefore not accepted),
   * `no_text` (no structured output where it was looked for), `schema_mismatch`.
   */
  readonly code: string | null;
  /** What is wrong, for people. */
  readonly message: string;
}

/** A request with its answer, or with the reason why it has none. */
export type Result<T> =
  | { readonly customId: string; readonly ok: true; readonly value: T }
  | { readonly customId: string; readonly ok: false; readonly error: ResultError };

/** What is taken as the value of an answer. */
export type ResultValue = 'body' | 'text' | 'structuredOutput';

/** What is read, and how it is checked. */
export interface ReadResultsOptions<Schema extends StandardSchemaV1, Value extends ResultValue = ResultValue> {
  /** The storage that the files are in. */
  readonly storage: Storage;
  /**
   * Checks and types each value: a schema of Zod, Valibot, ArkType or any other library of the Standard Schema
   * interface. Without it, texts are strings, and other values are `unknown`.
   */
  readonly schema?: Schema;
  /**
   * What the value is: the whole response body, the text of the answer, or the JSON that the model wrote as its answer.
   *
   * @default 'body'
   */
  readonly value?: Value;
  /**
   * Where the structured output stands: in the text of the final message, in the arguments of the first tool call, or in
   * the arguments where there is no text.
   *
   * @default 'textOrToolCall'
   */
  readonly structuredOutput?: StructuredOutputPlace;
  /**
   * Whether the files must have the size and the hash that the result names. The hash is known only behind the last line
   * of a file: what was read before may be wrong if the reading then throws.
   *
   * @default true
   */
  readonly verify?: boolean;
}

/** Without a schema, only a text has a known type. */
type ValueOf<Schema extends StandardSchemaV1 | undefined, Value extends ResultValue> = Schema extends StandardSchemaV1
  ? StandardSchemaV1.InferOutput<Schema>
  : Value extends 'text'
    ? string
    : unknown;

/**
 * Streams the results of a batch or a bulk batch: all successes in the order of the output file, then all other
 * requests. A result is `ok` only if it has a value: an answer that is refused, filtered or empty is not.
 *
 * @example
 * ```ts
 * import { z } from 'zod';
 *
 * const triage = z.object({ urgent: z.boolean() });
 * for await (const result of readResults(await run.result(), { storage, schema: triage, value: 'structuredOutput' })) {
 *   if (result.ok) console.log(result.customId, result.value.urgent);
 * }
 * ```
 *
 * @throws FileChangedError if a file was changed or deleted since; StorageError; errors of the schema, unchanged
 */
export async function* readResults<
  Schema extends StandardSchemaV1 | undefined = undefined,
  Value extends ResultValue = 'body',
>(
  result: { readonly output: FileRef | null; readonly errors: FileRef | null },
  options: Omit<ReadResultsOptions<StandardSchemaV1, Value>, 'schema'> & { readonly schema?: Schema },
): AsyncGenerator<Result<ValueOf<Schema, Value>>> {
  const { storage, verify = true } = options;
  const reading: Reading = {
    schema: options.schema ?? null,
    value: options.value ?? 'body',
    place: options.structuredOutput ?? 'textOrToolCall',
  };
  for (const file of [result.output, result.errors]) {
    if (!file) continue;
    const isOutput = file === result.output;
    const content = verify ? readChecked(storage, file) : decompressed(storage.read(file.uri), file.uri);
    for await (const lines of lineBlocks(content, RESULT_LINES)) {
      for (const line of lines) yield await resultOf<ValueOf<Schema, Value>>(parseLine(line).object, reading, isOutput);
    }
  }
}

interface Reading {
  readonly schema: StandardSchemaV1 | null;
  readonly value: ResultValue;
  readonly place: StructuredOutputPlace;
}

/** @param isOutput whether the line is from the output: one from the errors was not accepted, whatever it contains */
async function resultOf<T>(
  line: Record<string, unknown> | null,
  reading: Reading,
  isOutput: boolean,
): Promise<Result<T>> {
  if (line === null) {
    return { customId: '', ok: false, error: { status: null, code: 'unreadable', message: 'not a JSON object' } };
  }
  const { custom_id: id } = line;
  const customId = typeof id === 'string' || typeof id === 'number' ? String(id) : '';
  const judgement = judgeResult(line);
  const error = errorOf(judgement, line.error);
  if (error) return { customId, ok: false, error };
  const found = await valueIn(judgement, reading);
  if (found.error === null && isOutput) return { customId, ok: true, value: found.value as T };
  return { customId, ok: false, error: found.error ?? notAccepted(judgement, line.outcome) };
}

type Found = { readonly value: unknown; readonly error: null } | { readonly error: ResultError };

/** The value of an answer, or why there is none. */
async function valueIn({ verdict, status, body }: Judgement, { schema, value: kind, place }: Reading): Promise<Found> {
  const problem = (code: string, message: string): Found => {
    if (verdict === 'truncated') return { error: { status, code: 'truncated', message: TRUNCATED } };
    return { error: { status, code, message: bounded(message, 300) } };
  };
  const output = outputOf(body, kind, place);
  if (!output.found) return problem('no_text', NO_TEXT);
  const isNothing = output.value === undefined || (output.value === null && schema === null);
  if (isNothing) return problem('schema_mismatch', 'the text of the answer is not JSON, or only `null`');
  if (schema === null) return { value: output.value, error: null };
  try {
    const parsed = await schema['~standard'].validate(output.value);
    if (!parsed.issues) return { value: parsed.value, error: null };
    const [issue] = parsed.issues;
    return problem('schema_mismatch', `${pathOf(issue) || kind}: ${issue?.message ?? 'does not fit the schema'}`);
  } catch (error) {
    // Values that are nested too deeply exhaust the stack. Other errors are those of the caller's own schema.
    if (!(error instanceof RangeError)) throw error;
    return problem('schema_mismatch', 'the answer is nested too deeply to be checked');
  }
}

function outputOf(body: unknown, kind: ResultValue, place: StructuredOutputPlace): StructuredOutput {
  if (kind === 'body') return { found: true, value: body };
  if (kind === 'structuredOutput') return structuredOutput(body, place);
  const text = answerText(body);
  return text === null ? { found: false } : { found: true, value: text };
}

function pathOf(issue: StandardSchemaV1.Issue | undefined): string {
  return (issue?.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
}

const NO_TEXT = 'the answer has no text where the structured output is looked for';
const TRUNCATED = 'the answer was cut off by the token limit';

/** Why an answer that has a value is among the errors: the outcome that the bulk batch wrote into its line. */
function notAccepted({ verdict, status }: Judgement, outcome: unknown): ResultError {
  if (verdict === 'truncated') return { status, code: 'truncated', message: TRUNCATED };
  const hasText = outcome !== 'noText';
  if (!hasText) return { status, code: 'no_text', message: NO_TEXT };
  return { status, code: 'schema_mismatch', message: 'the answer did not fit the schema of the bulk batch' };
}

/** The error of a line that is no answer; null for one that is. */
function errorOf({ verdict, status, body, failure, refusal }: Judgement, lineError: unknown): ResultError | null {
  if (verdict === 'answered' || verdict === 'truncated') return null;
  if (verdict === 'refused') return { status, code: 'refused', message: bounded(refusal ?? 'the model refused') };
  if (verdict === 'filtered') return { status, code: 'filtered', message: 'a content filter stopped the answer' };
  // The error of the line, or of the response's body, whichever has a message.
  const inBody: unknown = isObject(body) ? body.error : null;
  const spoken = [lineError, inBody].find((error) => isObject(error) && error.message);
  const { code, message } = spoken === undefined ? (failure ?? NOTHING) : lineFailure(spoken, status);
  const shownStatus = status === 0 ? null : status;
  return { status: shownStatus, code: code && bounded(code, 200), message: bounded(message ?? 'no error message') };
}

const NOTHING = { code: null, message: null };
