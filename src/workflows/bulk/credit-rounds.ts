/**
 * Rounds of requests whose lines failed for want of credit. They are sent again after a wait, and do not count as
 * rounds: nothing was answered, and nothing was paid for.
 */
import { sleep } from '@temporalio/workflow';
import type { ParsedBulkBatchSpec } from '../../contract/bulk-batch.js';
import type { RoundPlan } from '../../contract/part.js';
import { toMs } from '../../contract/duration.js';
import type { RunControl } from '../lifecycle/run-control.js';
import { describeWaiting, waitAfter } from './refusals.js';
import type { BulkState } from './state.js';

export class CreditRounds {
  readonly #spec: ParsedBulkBatchSpec;
  readonly #run: RunControl;
  readonly #state: BulkState;
  readonly #onChange: () => void;
  #waitingFor: string | null = null;

  constructor(
    spec: ParsedBulkBatchSpec,
    run: RunControl,
    { state, onChange }: { state: BulkState; onChange: () => void },
  ) {
    this.#spec = spec;
    this.#run = run;
    this.#state = state;
    this.#onChange = onChange;
  }

  /** Why the next round is not sent yet; null where it does not wait. */
  get waitingFor(): string | null {
    return this.#waitingFor;
  }

  /** Whether as many rounds as the spec allows have sent requests for other reasons. */
  get areOthersUsedUp(): boolean {
    return this.#state.sent.filter(hasOthers).length >= this.#spec.maxRounds;
  }

  /** Whether requests of the last round may have failed for want of credit. */
  get mayBeWanted(): boolean {
    return this.#spec.retry.failed && this.#state.outcomes.lastRound.hasFailure;
  }

  /** Waits, where the planned round needs credit. False when it is not to be sent. */
  async maySend(plan: RoundPlan): Promise<boolean> {
    const requests = plan.reasons.noCredit ?? 0;
    if (hasOthers(plan) && this.areOthersUsedUp) return false;
    const { round, outcomes } = this.#state;
    if (requests === 0 || outcomes.lastRound.hasSuccess) this.#state.creditWait = null;
    if (requests === 0) return true;
    const message = `${requests} requests of round ${round} failed for want of it`;
    const wait = waitAfter({ reason: 'credit', message }, this.#state.creditWait, round);
    if (wait.waitedMs >= toMs(this.#spec.giveUpAfter)) {
      this.#run.warn(`The provider refused for want of credit for too long: ${requests} requests are not sent again`);
      return hasOthers(plan);
    }
    this.#state.creditWait = wait;
    this.#waitingFor = describeWaiting(wait);
    this.#onChange();
    const options = { summary: `Wait before round ${plan.round} for want of credit at the provider` };
    const waited = await this.#run.untilCancelled(() => sleep(wait.pauseMs, options));
    this.#waitingFor = null;
    this.#onChange();
    return !waited.interrupted;
  }
}

const hasOthers = ({ reasons }: RoundPlan): boolean =>
  Object.entries(reasons).some(([reason, count]) => reason !== 'noCredit' && count > 0);
