import type { FileRef } from '../../contract/file-ref.js';
import type { Origin } from '../../contract/job-key.js';
import type { BulkPart, PartOutcome, PartWarning, RoundPlan } from '../../contract/part.js';
import { identity, ownOrigin } from '../lifecycle/identity.js';
import type { Waiting } from './refusals.js';

/** What the next run takes over when a long history makes the workflow continue as new, which it does between parts. */
export interface BulkState {
  /** The run that the keys of the parts' jobs name. */
  readonly origin: Origin;
  /** Name of the folder of this bulk batch's files. */
  readonly folder: string;
  /** The round of `pending`, from 1; 0 before the first plan. */
  round: number;
  /** Parts of the round that have not ended. */
  pending: BulkPart[];
  /** Parts of all rounds that have ended. */
  done: PartOutcome[];
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
  /** The refusals of pending parts, by name of the part. */
  readonly refused: Record<string, Waiting>;
  /** The wait for credit before the last round; null where it did not wait. */
  creditWait: Waiting | null;
  /** Limits by model that the provider's refusals have named, in tokens. */
  readonly tokenLimits: Record<string, number>;
  /** Whether no further round is planned. */
  isLastRound: boolean;
}

export function newState(): BulkState {
  return {
    origin: ownOrigin(),
    folder: identity().folder,
    round: 0,
    pending: [],
    done: [],
    sent: [],
    requests: 0,
    inputFiles: null,
    warnings: [],
    partWarnings: [],
    droppedWarnings: 0,
    refused: {},
    creditWait: null,
    tokenLimits: {},
    isLastRound: false,
  };
}
