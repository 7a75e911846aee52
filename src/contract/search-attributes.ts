/**
 * The search attributes of runs, by which the lists of the Temporal UI and of the CLI tell one run from another. They
 * are set only where the namespace has them: see docs/how-to/temporal-ui.md.
 */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);

/** The keys of the search attributes, for `typedSearchAttributes` and visibility queries. */
export const SEARCH_ATTRIBUTES = {
  /** A {@link JobKind}. */
  kind: keyword('LlmJobKind'),
  /** A {@link JobState}. */
  status: keyword('LlmJobStatus'),
  /** Id of the job at the provider, from when it exists. A bulk batch has none: its parts have. */
  id: keyword('LlmJobId'),
  /** Not set where a bulk batch, or the input of a batch, may have several. */
  model: keyword('LlmJobModel'),
  /** Name of the provider, as the spec and the worker name it. */
  provider: keyword('LlmJobProvider'),
} as const;

export type SearchAttribute = keyof typeof SEARCH_ATTRIBUTES;

/** `part` is the run of a bulk batch's part. */
export type JobKind = 'batch' | 'part' | 'bulkBatch' | 'fineTuning';

/**
 * Where a run is, in the words of providers. Each change is an event of the history, so there are two: the job exists,
 * and the run has ended.
 *
 * - `preparing`: there is no job yet.
 * - `running`: there is one, or a bulk batch has parts.
 * - `completed_with_failures`: the job was completed, and there are requests without an answer.
 * - `succeeded`: a fine-tuning job. All others are `completed`.
 * - `failed`: the run failed. The page of the run says why.
 */
export const JOB_STATES = [
  'preparing',
  'running',
  'completed',
  'completed_with_failures',
  'expired',
  'succeeded',
  'cancelled',
  'failed',
] as const;
/** Where a run is: one of `JOB_STATES`. */
export type JobState = (typeof JOB_STATES)[number];

/** Longest value that is set, in characters: some stores take no more. */
const MAX_VALUE = 255;

export type AttributeValues = Readonly<Partial<Record<SearchAttribute, string | null>>>;

/** With which runs are started. */
export interface StartAttributes extends AttributeValues {
  readonly kind: JobKind;
  readonly status: 'preparing';
}

/** As Temporal takes them. Values that are not known are left out. */
export function attributePairs(values: AttributeValues) {
  return (Object.entries(values) as [SearchAttribute, string | null][])
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => ({
      key: SEARCH_ATTRIBUTES[name],
      value: Array.from(value!.toWellFormed()).slice(0, MAX_VALUE).join(''),
    }));
}

/** How a run ended that has this result. */
export function stateOfResult({ status, lines }: ResultState): JobState {
  if (status !== 'completed') return JOB_STATES.find((state) => state === status) ?? 'completed';
  const isWhole = !lines || lines.failed + lines.unfinished + lines.missing === 0;
  return isWhole ? 'completed' : 'completed_with_failures';
}

/** What of a result says how its run ended. */
export interface ResultState {
  readonly status: string;
  readonly lines?: { readonly failed: number; readonly unfinished: number; readonly missing: number };
}
