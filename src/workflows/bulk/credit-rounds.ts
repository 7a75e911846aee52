/**
 * Rounds of requests whose lines failed for want of credit. They are sent again after a wait, and do not count as
 * rounds: nothing was answered, and nothing was paid for.
 */
import { sleep } from '@temporalio/workflow';
import type { ParsedBulkBatchSpec } from '../../contract/bulk-batch.js';
import type { RoundPlan } from '../../contract/part.js';
import { toMs } from '../../contract/spec-fields.js';
import type { RunControl } from '../lifecycle/run-control.js';
import { describeWaiting, waitAfter } from './refusals.js';
import type { BulkState } from './state.js';

/** The outcomes of so many parts fit into the payload of a merge. */
const MAX_OUTCOMES = 3_000;

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
    const { done, round } = this.#state;
    return this.#spec.retry.failed && done.some((part) => part.round === round && part.lines.failed > 0);
  }

  /** Waits, where the planned round needs credit. False when it is not to be sent. */
  async maySend(plan: RoundPlan, parts: number): Promise<boolean> {
    const requests = plan.reasons.noCredit ?? 0;
    if (hasOthers(plan) && this.areOthersUsedUp) return false;
    const { done, round } = this.#state;
    const hasSucceeded = done.some((part) => part.round === round && part.lines.succeeded > 0);
    if (requests === 0 || hasSucceeded) this.#state.creditWait = null;
    if (requests === 0) return true;
    const message = `${requests} requests of round ${round} failed for want of it`;
    const wait = waitAfter({ reason: 'credit', message }, this.#state.creditWait, round);
    if (wait.waitedMs >= toMs(this.#spec.giveUpAfter) || done.length + parts > MAX_OUTCOMES) {
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
