import type { BatchResult, LineCounts } from '../../contract/batch.js';
import type { FileRef } from '../../contract/file-ref.js';
import type { Origin } from '../../contract/job-key.js';
import type { Part, PartOutcome, PartWarning, RoundPlan } from '../../contract/part.js';
import { identity, ownOrigin } from '../lifecycle/identity.js';
import type { Waiting } from './refusals.js';

/**
 * What the next run takes over when a long history makes the workflow continue as new. It stays small however many parts
 * there are: parts and outcomes are in storage.
 */
export interface BulkState {
  /** The run that the keys of the parts' jobs name. */
  readonly origin: Origin;
  /** Name of the folder of this bulk batch's files. */
  readonly folder: string;
  /** Folder of the results of the parts' batches; null before the first plan. */
  resultsUri: string | null;
  /** The current round, from 1; 0 before the first plan. */
  round: number;
  readonly parts: PartsState;
  readonly outcomes: OutcomesState;
  /** The rounds that were planned, without those that have nothing to send. */
  sent: RoundPlan[];
  /** Requests of the input; 0 before the first plan. */
  requests: number;
  /** The files of the input as the first plan read them; null before it. */
  inputFiles: FileRef | null;
  warnings: readonly string[];
  partWarnings: readonly PartWarning[];
  /** Warnings of parts that were not kept. */
  droppedWarnings: number;
  /** The wait for credit before the last round; null where it did not wait. */
  creditWait: Waiting | null;
  /** Limits by model that the provider's refusals have named, in tokens. */
  readonly tokenLimits: Record<string, number>;
  /** Whether no further round is planned. */
  isLastRound: boolean;
  /** Whether no further part is started. */
  isPaused: boolean;
}

/** The parts of the current round. */
export interface PartsState {
  /** All of them, those that replaced a larger part counted in its place. */
  total: number;
  ended: number;
  /** The highest number of a part. */
  lastNumber: number;
  /** What is not read yet, in the order in which it is. */
  readonly lists: PartList[];
  /** Parts that are read and not begun. */
  readonly page: Part[];
  /** Parts that are begun and have not ended. */
  readonly begun: BegunPart[];
}

/** The rest of a list of parts in storage. */
export interface PartList {
  readonly name: string;
  /** Index of the next part, from 0. */
  next: number;
  readonly count: number;
}

export interface BegunPart {
  readonly part: Part;
  /** Number of the current attempt, from 1. */
  attempt: number;
  /** Whether the run of the current attempt was started. */
  isStarted: boolean;
  /** The refusals of the attempts before; null if there were none. */
  waiting: Waiting | null;
}

/** What the workflow knows of the parts of all rounds that have ended. */
export interface OutcomesState {
  /** How many files of outcomes are in storage. */
  files: number;
  /** Outcomes that are in none of these files yet. */
  readonly unsaved: PartOutcome[];
  /** Number of parts. */
  parts: number;
  /** Whether the run of every part failed. */
  haveAllFailed: boolean;
  /** The first failure that has a type in the table of failures. */
  firstFailure: { readonly type: string; readonly message: string } | null;
  /** How the requests ended, each counted once. */
  readonly lines: Record<keyof LineCounts, number>;
  /** Sums over all parts. */
  readonly anomalies: Record<keyof BatchResult['anomalies'], number>;
  /** What the parts of the last round had among their lines. */
  lastRound: { hasSuccess: boolean; hasFailure: boolean; isAllSuccess: boolean };
}

export function newState(): BulkState {
  return {
    origin: ownOrigin(),
    folder: identity().folder,
    resultsUri: null,
    round: 0,
    parts: { total: 0, ended: 0, lastNumber: 0, lists: [], page: [], begun: [] },
    outcomes: {
      files: 0,
      unsaved: [],
      parts: 0,
      haveAllFailed: true,
      firstFailure: null,
      lines: { succeeded: 0, failed: 0, unfinished: 0, missing: 0 },
      anomalies: { duplicates: 0, unknownIds: 0, unreadable: 0 },
      lastRound: { hasSuccess: false, hasFailure: false, isAllSuccess: true },
    },
    sent: [],
    requests: 0,
    inputFiles: null,
    warnings: [],
    partWarnings: [],
    droppedWarnings: 0,
    creditWait: null,
    tokenLimits: {},
    isLastRound: false,
    isPaused: false,
  };
}
