/**
 * The account's budget of what may be enqueued and of creates per hour, shared by all bulk batches: one long-lived
 * workflow per provider. A part requests capacity before it is submitted, and its grant is a lease until its batch has
 * ended. The rules are those of the ledger; here are the messages, and the watch for holders that have ended.
 */
import {
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  isCancellation,
  setCurrentDetails,
  setHandler,
  type SignalDefinition,
} from '@temporalio/workflow';
import {
  isCapacityRecord,
  isCapacityRefusal,
  isCapacityRequest,
  type BudgetState,
  type CapacityRecord,
} from '../contract/token-budget.js';
import { describeBudget, describeWait } from './budget/details.js';
import { Ledger } from './budget/ledger.js';
import { BudgetMetrics } from './budget/metrics.js';
import { groupBy, holderKey, type Holder } from './budget/records.js';
import { runActivity, shortActivities } from './lifecycle/activity-calls.js';
import { isHistoryLong } from './lifecycle/history-limit.js';
import { signalRun } from './lifecycle/signal-run.js';
import {
  budgetQuery,
  capacityGrantedSignal,
  capacityHeldSignal,
  capacityRefusedSignal,
  leaseQuery,
  releaseCapacitySignal,
  requestCapacitySignal,
  tellCapacitySignal,
} from './messages.js';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
/** The workflow ends after this long without leases or requests. What it has learnt is forgotten by then. */
const IDLE_LIMIT_MS = 24 * 60 * MINUTE_MS;
/** Leases that one signal grants. */
const LEASES_PER_SIGNAL = 100;
/** The watch for ended runs starts again after this long at the earliest. */
const WATCH_AGAIN_MS = 30 * SECOND_MS;
/** Runs that are watched for their end at a time. Those that are only counted come last. */
const MAX_WATCHED = 500;

/**
 * Grants the parts of bulk batches capacity at a provider. Parts start it when they need it.
 *
 * @param state the library's own, for a run that continues an earlier one
 */
export async function tokenBudget(state?: BudgetState): Promise<void> {
  await new TokenBudget(state).execute();
}

class TokenBudget {
  readonly #ledger: Ledger;
  readonly #metrics = new BudgetMetrics();
  /** Whether a cancel was requested: it must not forget what is enqueued, so the run ends when nothing is. */
  #isEnding: boolean;
  readonly #isContinued: boolean;
  /** Counts what may let a part be granted. */
  #changes = 0;
  /** Signals that are being sent. */
  #sending = 0;

  constructor(state: BudgetState | undefined) {
    this.#ledger = new Ledger(state);
    this.#isEnding = state?.isEnding ?? false;
    this.#isContinued = state !== undefined;
    // A handler that throws would stop the budget for every bulk batch of the provider, so arguments are checked.
    setHandler(
      requestCapacitySignal,
      (request) => this.#change(() => isCapacityRequest(request) && this.#ledger.request(request, Date.now())),
      { description: 'Requests capacity for a part: a CapacityRequest.' },
    );
    setHandler(releaseCapacitySignal, (lease) => this.#change(() => this.#ledger.release(lease)), {
      description: 'Returns the capacity of a part. Argument: its lease.',
    });
    setHandler(
      capacityRefusedSignal,
      (refusal) => this.#change(() => isCapacityRefusal(refusal) && this.#ledger.refuse(refusal, Date.now())),
      { description: 'Reports that the provider had no capacity for a part: { lease, model, unit, limit }.' },
    );
    setHandler(
      capacityHeldSignal,
      (held: unknown) => {
        const records = Array.isArray(held) ? held.filter(isCapacityRecord) : [];
        this.#change(() => this.#ledger.register(records, Date.now()));
      },
      { description: 'Tells what a run holds: a list of CapacityRecord.' },
    );
    setHandler(budgetQuery, () => this.#state, {
      description: 'Returns the leases, the queue, the limits that were learnt, and the shares.',
    });
    setHandler(
      leaseQuery,
      (lease) => ({
        status: this.#ledger.statusOf(lease),
        waitsFor: describeWait(this.#ledger, lease, Date.now()),
      }),
      { description: 'Returns whether a lease is held, waiting or unknown, and what it waits for.' },
    );
  }

  get #state(): BudgetState {
    return { ...this.#ledger.state, isEnding: this.#isEnding };
  }

  async execute(): Promise<void> {
    CancellationScope.current().cancelRequested.catch(() => this.#change(() => (this.#isEnding = true)));
    await CancellationScope.nonCancellable(async () => {
      if (this.#isContinued) await this.#followDeployments();
      const watching = new CancellationScope();
      const watched = watching.run(() => this.#watchHolders()).catch(ignoreCancellation);
      await Promise.race([this.#grantUntilIdle(), watched]);
      watching.cancel();
    });
    if (this.#isEnding) throw new CancelledFailure('The budget was cancelled, and nothing is enqueued any more');
  }

  /**
   * The versioning override of the first run is not passed on to those that continue it: pinned to the deployment that
   * it happened to start on, the run would answer nobody once that one is gone.
   */
  async #followDeployments(): Promise<void> {
    await runActivity(shortActivities.followDeployments, 'Move on with new deployments');
  }

  async #grantUntilIdle(): Promise<void> {
    while (true) {
      // Read before deciding: a signal that arrives meanwhile must end the wait below.
      const seen = this.#changes;
      const { grants, asks, nextAt } = this.#ledger.decide(Date.now());
      for (const [holder, leases] of groupBy(grants, (record) => record.holder)) this.#sendGrants(holder, leases);
      for (const holder of asks) this.#ask(holder);
      this.#metrics.report(this.#ledger);
      setCurrentDetails(describeBudget(this.#ledger, this.#isEnding, Date.now()));
      if (isHistoryLong()) await this.#continue();
      if (this.#ledger.isEmpty && this.#isEnding) return;
      const hasChanged = await this.#untilChanged(seen, nextAt);
      if (!hasChanged && this.#ledger.isEmpty) return;
    }
  }

  /** False where nothing was enqueued for so long that the run is to end. */
  async #untilChanged(seen: number, nextAt: number): Promise<boolean> {
    const hasChanged = () => this.#changes !== seen;
    if (nextAt < Infinity) {
      const waitMs = Math.max(SECOND_MS, nextAt - Date.now());
      await condition(hasChanged, waitMs, { summary: 'Until a part may be granted' });
      return true;
    }
    if (this.#ledger.isEmpty) return condition(hasChanged, IDLE_LIMIT_MS, { summary: 'Until the budget ends' });
    await condition(hasChanged);
    return true;
  }

  async #continue(): Promise<void> {
    await condition(() => this.#sending === 0);
    await continueAsNew<typeof tokenBudget>(this.#state);
  }

  #change(change: () => unknown): void {
    change();
    this.#changes += 1;
  }

  #sendGrants(holder: string, records: readonly CapacityRecord[]): void {
    for (let at = 0; at < records.length; at += LEASES_PER_SIGNAL) {
      const leases = records.slice(at, at + LEASES_PER_SIGNAL).map(({ lease }) => lease);
      void this.#sendGrant(holder, leases);
    }
  }

  async #sendGrant(holder: string, leases: readonly string[]): Promise<void> {
    if (await this.#send(holder, capacityGrantedSignal, ...leases)) return;
    this.#change(() => {
      for (const lease of leases) this.#ledger.giveBack(lease);
    });
  }

  #ask(holder: string): void {
    void this.#send(holder, tellCapacitySignal);
  }

  /** Whether the signal was sent; false where the run has ended. */
  async #send<Args extends unknown[]>(holder: string, signal: SignalDefinition<Args>, ...args: Args): Promise<boolean> {
    this.#sending += 1;
    const isSent = await signalRun(holder, signal, ...args);
    this.#sending -= 1;
    return isSent;
  }

  /**
   * Drops what runs hold that have ended. The watch is one activity for all of them, whose attempts cost no history. It
   * starts again when one has ended or new ones have come, at most twice a minute.
   */
  async #watchHolders(): Promise<void> {
    while (true) {
      await condition(() => !this.#ledger.isEmpty);
      const holders = this.#ledger.holders(MAX_WATCHED);
      const startedAt = Date.now();
      const ended = await this.#untilEnded(holders);
      this.#change(() => this.#ledger.dropHolders(ended));
      const restMs = startedAt + WATCH_AGAIN_MS - Date.now();
      if (restMs > 0 && !this.#ledger.isEmpty) {
        await condition(() => this.#ledger.isEmpty, restMs, { summary: 'Until the holders are checked again' });
      }
    }
  }

  /** The runs that have ended; none where there are others to watch. */
  async #untilEnded(holders: readonly Holder[]): Promise<readonly Holder[]> {
    const known = new Set(holders.map(holderKey));
    const hasOthers = () =>
      known.size < MAX_WATCHED && this.#ledger.holders(MAX_WATCHED).some((holder) => !known.has(holderKey(holder)));
    const scope = new CancellationScope();
    try {
      return await scope.run(() => {
        const summary = `Watch ${holders.length} runs for their end`;
        const ended = runActivity(shortActivities.watchHolders, summary, { holders });
        const others = condition(hasOthers).then(() => [] as Holder[]);
        for (const waiting of [ended, others]) waiting.catch(() => undefined);
        return Promise.race([ended, others]);
      });
    } finally {
      scope.cancel();
    }
  }
}

function ignoreCancellation(error: unknown): void {
  if (!isCancellation(error)) throw error;
}
