/** The signals, queries and updates of the workflows. Their names are what clients in any language send. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { AnnouncedJob } from '../contract/account-watch.js';
import type { BatchProgress } from '../contract/batch.js';
import type { BulkBatchProgress } from '../contract/bulk-batch.js';
import type { FineTuningProgress } from '../contract/fine-tuning.js';
import type { OpenParts, PartReport } from '../contract/part-report.js';
import type { CommonProgress } from '../contract/progress.js';
import type {
  BudgetState,
  CapacityRecord,
  CapacityRefusal,
  CapacityRequest,
  LeaseAnswer,
} from '../contract/token-budget.js';

/**
 * Before the job exists: it is never created. Afterwards: it is cancelled at the provider, and the partial results are
 * kept.
 */
export const cancelSignal = defineSignal<[reason?: string]>('cancel');

/** A hint that the job may have changed, so that it is read now. A hint is never taken as state. */
export const wakeSignal = defineSignal('wake');

export const batchProgressQuery = defineQuery<BatchProgress>('progress');
export const bulkBatchProgressQuery = defineQuery<BulkBatchProgress>('progress');
export const fineTuningProgressQuery = defineQuery<FineTuningProgress>('progress');

/** Reads the job now and returns fresh progress. */
export const lookUpdate = defineUpdate<CommonProgress>('look');

/** Pauses a fine-tuning job, or the creating of batches, and returns the status. */
export const pauseUpdate = defineUpdate<string>('pause');
/** Resumes what was paused and returns the status. */
export const resumeUpdate = defineUpdate<string>('resume');

/** To the watch of an account: a job was created. */
export const announceSignal = defineSignal<[job: AnnouncedJob]>('announce');

/** To the token budget: a part waits for capacity, or was enqueued by a run that starts by itself. */
export const requestCapacitySignal = defineSignal<[CapacityRequest]>('request');
/** To the token budget: a part no longer needs its capacity. */
export const releaseCapacitySignal = defineSignal<[lease: string]>('release');
/** To the token budget: the provider had no capacity for a part. */
export const capacityRefusedSignal = defineSignal<[CapacityRefusal]>('refused');
/** To the token budget, which has asked for it: what the run holds. */
export const capacityHeldSignal = defineSignal<[held: readonly CapacityRecord[]]>('held');
/** From the token budget to the run that asked: the parts of these leases may be submitted. */
export const capacityGrantedSignal = defineSignal<string[]>('room');
/** From a token budget that knows nothing of a run: it is to tell which leases it holds. */
export const tellCapacitySignal = defineSignal('tellCapacity');
export const budgetQuery = defineQuery<BudgetState>('budget');

/** From the run of a part to its bulk batch: the run has ended. */
export const partEndedSignal = defineSignal<[PartReport]>('partEnded');
/** From a bulk batch to the run of a part: while held, it does not create its batch. */
export const holdSignal = defineSignal<[isHeld: boolean]>('hold');
/** From the bulk batch's own activity: what its parts wait for, and the ids of their batches by the part's name. */
export const partsWaitSignal =
  defineSignal<[waitingFor: string | null, batches?: Readonly<Record<string, string>>]>('partsWait');
/** The runs of parts that have not reported their end. */
export const openPartsQuery = defineQuery<OpenParts>('openParts');
/** What the token budget knows of a lease. */
export const leaseQuery = defineQuery<LeaseAnswer, [lease: string]>('lease');
