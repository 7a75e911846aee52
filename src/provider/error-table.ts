/**
 * What an error of the API means for a retry: one table, in which the first matching row counts. Providers' codes are
 * open strings, so rows match loosely. A reply's `x-should-retry` overrides the table, as it does in the official SDK.
 */
import { passingRefusal } from '../contract/refusal-reason.js';
import { KEY_UNREADABLE, type ApiError } from './reply.js';

/** The calls that activities make. The names are the SDK's. */
export type Operation =
  | 'files.create'
  | 'files.retrieve'
  | 'files.list'
  | 'files.content'
  | 'files.delete'
  | 'batches.create'
  | 'batches.retrieve'
  | 'batches.list'
  | 'batches.cancel'
  | 'fineTuning.create'
  | 'fineTuning.retrieve'
  | 'fineTuning.list'
  | 'fineTuning.cancel'
  | 'fineTuning.pause'
  | 'fineTuning.resume'
  | 'fineTuning.events'
  | 'fineTuning.checkpoints';

/**
 * - `refused`: permanent; the run fails with the provider's message.
 * - `unavailable`: temporary; the call is retried for as long as the job can live.
 * - `noCapacity`: temporary, until something else ends: there is no free slot, or a daily limit is reached.
 */
export type Verdict = 'refused' | 'unavailable' | 'noCapacity';

interface Row {
  readonly operation?: RegExp;
  readonly status?: (status: number | null) => boolean;
  /** Matched against code, type and message, joined by spaces. */
  readonly text?: Pick<RegExp, 'test'>;
  readonly verdict: Verdict;
  /**
   * From this attempt on the verdict is `refused`.
   * @default no limit
   */
  readonly maxAttempts?: number;
}

const is =
  (...statuses: number[]) =>
  (status: number | null) =>
    status !== null && statuses.includes(status);

/** Errors of a spent budget, which waiting does not restore. */
const NO_CREDIT = { test: (text: string) => passingRefusal(text) === 'credit' };

export const API_ERROR_TABLE: readonly Row[] = [
  { status: (status) => status === null, verdict: 'unavailable' },
  { status: is(401, 403), verdict: 'refused' },
  { status: is(402), verdict: 'refused' },
  { status: is(429), text: NO_CREDIT, verdict: 'refused' },
  // Without a free slot, or when a daily limit is reached, the create of a fine-tuning job is answered with 429.
  { operation: /^fineTuning\.create$/, status: is(429), verdict: 'noCapacity' },
  {
    operation: /^fineTuning\.create$/,
    status: is(400),
    text: /(maximum|limit).{0,40}(active|concurrent|daily|running)|daily_rate_limit|too many.{0,20}jobs/i,
    verdict: 'noCapacity',
  },
  // LiteLLM turns a 429 into a 500. Both are retried alike.
  { status: is(408, 425, 429), verdict: 'unavailable' },
  { status: (status) => status !== null && status >= 500, verdict: 'unavailable' },
  // Two requests collided; the SDK retries 409 too. For a cancel, pause or resume a 409 means "already ended" instead.
  { operation: /\.(create|retrieve|list|content|events|checkpoints|delete)$/, status: is(409), verdict: 'unavailable' },
  // The file is still being processed (Azure), which takes as long as it takes.
  {
    operation: /^(batches|fineTuning)\.create$/,
    status: is(400, 404, 409, 422),
    text: /file.{0,80}(not (yet )?ready|still.{0,20}process|being processed|not (yet |been )*processed|is processing|status is (pending|running|uploaded|processing|preprocessing))/i,
    verdict: 'unavailable',
  },
  // The file was uploaded a moment ago and is not visible yet (curator#116).
  {
    operation: /^(batches|fineTuning)\.create$/,
    status: is(400, 404),
    text: /(cannot|could not|can't) find file|no such file|file.{0,60}(not.{0,10}processed|processing|does not exist|not found)/i,
    verdict: 'unavailable',
    maxAttempts: 6,
  },
  // The file is not visible yet, or the reply is from a replica that lags.
  { operation: /^files\.(content|retrieve)$/, status: is(404), verdict: 'unavailable', maxAttempts: 5 },
  { status: () => true, verdict: 'refused' },
];

/** The table's verdict on an error, for the attempt that received it (from 1). */
export function classify(operation: Operation, error: ApiError, attempt: number): Verdict {
  const text = `${error.code ?? ''} ${error.type ?? ''} ${error.message}`;
  const row = API_ERROR_TABLE.find(
    (candidate) =>
      (candidate.operation?.test(operation) ?? true) &&
      (candidate.status?.(error.status) ?? true) &&
      (candidate.text?.test(text) ?? true),
  );
  const verdict =
    row === undefined || (row.maxAttempts !== undefined && attempt >= row.maxAttempts) ? 'refused' : row.verdict;
  if (error.shouldRetry === false && error.status !== null && error.status < 500) return 'refused';
  if (error.shouldRetry === true && verdict === 'refused') return 'unavailable';
  return verdict;
}

/** Whether the request may have been carried out, although its answer says otherwise or never arrived. */
export function isAmbiguous(error: ApiError): boolean {
  if (error.code === KEY_UNREADABLE) return false;
  return error.status === null || error.status === 408 || error.status >= 500 || error.status < 400;
}
