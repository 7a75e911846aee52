/** A part of a bulk batch: requests of one model and one endpoint, which are the input of one batch. */
import type { BatchResult, LineCounts, TokenUsage } from './batch.js';
import type { FileRef } from './file-ref.js';

export interface PartHead {
  /** From 1, in the order of the first request of each part. */
  readonly number: number;
  readonly model: string;
  readonly endpoint: string;
}

/** A part after it is written to storage. */
export interface Part extends PartHead {
  readonly file: FileRef;
  readonly requests: number;
  readonly embeddingInputs: number;
  readonly estimatedTokens: number;
}

/** How a part ended. */
export interface PartOutcome {
  /** From 1. */
  readonly round: number;
  /** The part's number, from 1 in each round. */
  readonly part: number;
  readonly model: string;
  readonly requests: number;
  /** Null where no batch was created, or its id is unknown. */
  readonly batchId: string | null;
  /** The status in the batch's result; `failed` where the part's run failed. */
  readonly status: string;
  /** URI of the output file; null when no request succeeded, or once it is removed. The same goes for the others. */
  readonly output: string | null;
  /** URI of the errors file; null when every request succeeded. */
  readonly errors: string | null;
  /** URI of the raw lines that are in neither file; null when there are none. */
  readonly unreadable: string | null;
  readonly lines: LineCounts;
  /** Tokens of every line of the batch; null where the part's run left no result. */
  readonly usage: TokenUsage | null;
  /** The failure of the part's run; null where it did not fail. The requests are not sent again where it is final. */
  readonly failure: { readonly type: string; readonly message: string; readonly isFinal: boolean } | null;
  /** Null where the part's run left no result. */
  readonly anomalies: BatchResult['anomalies'] | null;
  /** The first warnings of the part's run. */
  readonly warnings: readonly string[];
}

/** Why requests are sent in a round, with the number of requests for each reason. */
export type SendReasons = Readonly<Partial<Record<SendReason, number>>>;

/**
 * - `first`: not sent before.
 * - `unfinished`: the batch expired, was cancelled or failed before it ran the request.
 * - `failed`: the request failed with a passing error.
 * - `noCredit`: the request failed since the account has no credit or quota left.
 * - `mismatched`: the text of the answer does not fit the spec's `schema`.
 * - All others are sent again only if the spec's `retry` names them: `truncated` (cut by its length), `refused` (by the
 *   model), `filtered` (by a content filter), `noText` (no text where the schema looks), `unreadable` (its batch returned
 *   lines that cannot be read or matched), `undelivered` (its batch has no line for it, although it was answered).
 */
export const SEND_REASONS = [
  'first',
  'unfinished',
  'failed',
  'noCredit',
  'mismatched',
  'truncated',
  'refused',
  'filtered',
  'noText',
  'unreadable',
  'undelivered',
] as const;
export type SendReason = (typeof SEND_REASONS)[number];

/** A warning that parts gave, once for all parts that gave it. */
export interface PartWarning {
  readonly text: string;
  /** The first part that gave it. */
  readonly round: number;
  readonly part: number;
  /** How many parts gave it. */
  readonly parts: number;
}

/** A round as it was planned. */
export interface RoundPlan {
  /** From 1. */
  readonly round: number;
  /** Requests that are sent. */
  readonly requests: number;
  readonly reasons: SendReasons;
}

/** Whether the batch returned answers, none of which belongs to a request of the part. */
export function hasOnlyStrangers({ lines, anomalies }: PartOutcome): boolean {
  return (anomalies?.unknownIds ?? 0) > 0 && lines.succeeded + lines.failed === 0;
}

/** So many parts of a list travel together. */
export const PARTS_PER_PAGE = 50;
