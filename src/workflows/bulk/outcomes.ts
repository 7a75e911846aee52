/** The outcomes of parts: counted here, kept in storage. */
import { ApplicationFailure } from '@temporalio/workflow';
import type { BulkFolder, BulkInput } from '../../contract/activities/bulk-batch.js';
import type { BulkBatchResult } from '../../contract/bulk-batch.js';
import { FAILURES, withoutStack } from '../../contract/failures.js';
import type { PartOutcome, RoundPlan } from '../../contract/part.js';
import { runActivity, transferActivities } from '../lifecycle/activity-calls.js';
import type { Persistence } from '../lifecycle/persistence.js';
import type { OutcomesState } from './state.js';
import { Tally } from './tally.js';

/** Outcomes wait here until they have so many characters of JSON, and are then written together. */
const FILE_LENGTH = 64 * 1024;

export class Outcomes {
  readonly #state: OutcomesState;
  readonly #folder: BulkFolder;
  readonly #persistence: Persistence;
  readonly tally: Tally;
  #unsavedLength: number;
  #saving: Promise<void> | null = null;

  /** @param state kept up to date, for the run that continues this one */
  constructor(state: OutcomesState, folder: BulkFolder, persistence: Persistence) {
    this.#state = state;
    this.#folder = folder;
    this.#persistence = persistence;
    this.tally = new Tally(state);
    this.#unsavedLength = JSON.stringify(state.unsaved).length;
  }

  /** A new round begins. */
  send(plan: RoundPlan): void {
    this.tally.send(plan);
    this.#state.lastRound = { hasSuccess: false, hasFailure: false, isAllSuccess: true };
  }

  add(outcome: PartOutcome): void {
    const { requests, lines, failure } = outcome;
    const { lastRound } = this.#state;
    this.#state.parts += 1;
    this.#state.unsaved.push(outcome);
    this.#unsavedLength += JSON.stringify(outcome).length;
    this.tally.add(outcome);
    if (lines.succeeded > 0) lastRound.hasSuccess = true;
    if (lines.failed > 0) lastRound.hasFailure = true;
    if (lines.succeeded !== requests) lastRound.isAllSuccess = false;
    if (failure === null) this.#state.haveAllFailed = false;
    else if (Object.hasOwn(FAILURES, failure.type)) {
      this.#state.firstFailure ??= { type: failure.type, message: failure.message };
    }
  }

  /** Writes what has come together to storage, where it is much. */
  async saveMuch(): Promise<void> {
    while (this.#unsavedLength > FILE_LENGTH) await this.#save();
  }

  /** All outcomes as plan and merge take them: files, and what is too little for one. */
  get all(): Pick<BulkInput, 'outcomeFiles' | 'unsaved'> {
    return { outcomeFiles: this.#state.files, unsaved: [...this.#state.unsaved] };
  }

  #save(): Promise<void> {
    this.#saving ??= this.#saveOnce().finally(() => (this.#saving = null));
    return this.#saving;
  }

  async #saveOnce(): Promise<void> {
    const outcomes = [...this.#state.unsaved];
    const number = this.#state.files + 1;
    const summary = `Record the outcomes of ${outcomes.length} parts`;
    await this.#persistence.untilAnswered('record', () =>
      runActivity(transferActivities.recordOutcomes, summary, { ...this.#folder, number, outcomes }),
    );
    this.#state.files = number;
    this.#state.unsaved.splice(0, outcomes.length);
    this.#unsavedLength = JSON.stringify(this.#state.unsaved).length;
  }

  /**
   * The failure of a bulk batch in which every part failed: that of the first part with a type in the table of failures.
   * Null where a batch has results, or no part has such a type since operators ended the runs.
   */
  failureOfAll(result: BulkBatchResult): ApplicationFailure | null {
    const { haveAllFailed, firstFailure } = this.#state;
    if (result.output !== null || !haveAllFailed || firstFailure === null) return null;
    const { type, message } = firstFailure;
    const all = `No batch has a result: ${message}`;
    return withoutStack(ApplicationFailure.create({ type, message: all, nonRetryable: true, details: [{ result }] }));
  }
}
