/**
 * The runs of a bulk batch's parts, of type `runBatch`. They are no children, since a child ends with the run that
 * started it: these go on while the bulk batch continues as new, and report their end to its current run.
 */
import {
  CancellationScope,
  condition,
  isCancellation,
  setHandler,
  workflowInfo,
  type SignalDefinition,
} from '@temporalio/workflow';
import type { StartPartInput } from '../../contract/activities/part-runs.js';
import type { Origin } from '../../contract/job-key.js';
import type { EndReport, OpenParts, PartReport } from '../../contract/part-report.js';
import { bounded } from '../../contract/text.js';
import type { OpenPart } from '../details/bulk-page.js';
import { runActivity, shortActivities, temporalActivities } from '../lifecycle/activity-calls.js';
import { hasAttributes } from '../lifecycle/job-attributes.js';
import type { RunControl } from '../lifecycle/run-control.js';
import { signalRun } from '../lifecycle/signal-run.js';
import {
  cancelSignal,
  holdSignal,
  openPartsQuery,
  partEndedSignal,
  partsWaitSignal,
  tellCapacitySignal,
} from '../messages.js';
import { partRunIdOf } from './part-run-id.js';
import { StallCheck } from './stall-check.js';
import type { BulkState } from './state.js';

/** Longest id of a batch that is kept, in characters. */
const MAX_ID = 200;

const CANCEL_REASON = 'the bulk batch was cancelled';

export type NewRun = Pick<StartPartInput, 'name' | 'summary' | 'spec' | 'checked'>;

export class PartRuns {
  readonly #run: RunControl;
  readonly #state: BulkState;
  readonly #origin: Origin;
  readonly #onChange: () => void;
  readonly #stalls: StallCheck;
  /** Names of the runs that were started and have not reported their end. */
  readonly #open = new Set<string>();
  /** By name: a report may arrive before it is awaited, in a bulk batch that was reset for example. */
  readonly #reports = new Map<string, EndReport>();
  #waitingFor: string | null = null;
  /** Signals that are being sent: the server drops those that are under way when the run continues as new. */
  #sending = 0;
  /** Ids of the batches of open runs by their names, as far as they are known. */
  readonly #batches = new Map<string, string>();
  /** What keeps a run from getting on, by its name. */
  readonly #stalled = new Map<string, string>();

  readonly #provider: string;

  constructor(run: RunControl, state: BulkState, provider: string, onChange: () => void) {
    this.#run = run;
    this.#provider = provider;
    this.#state = state;
    this.#origin = state.origin;
    this.#onChange = onChange;
    this.#stalls = new StallCheck(run);
    setHandler(partEndedSignal, (report) => this.#receive(report), {
      description: 'From the run of a part: it has ended.',
    });
    setHandler(partsWaitSignal, (waitingFor, batches) => this.#hear(waitingFor, batches), {
      description: 'From an activity of this run: what the parts wait for, and the ids of their batches.',
    });
    setHandler(tellCapacitySignal, () => this.#tellCapacity(), {
      description: 'From a new token budget: asks what the parts hold, which each part tells by itself.',
    });
    setHandler(openPartsQuery, () => this.#openParts(), {
      description: 'Returns the runs of parts that have not reported their end.',
    });
  }

  /** Whether the run may continue as new. */
  get isAtRest(): boolean {
    return this.#sending === 0;
  }

  get running(): number {
    return this.#open.size;
  }

  /** The open runs, and the ids of their batches as far as they are known. */
  get open(): readonly OpenPart[] {
    return [...this.#open].map((name) => ({
      name,
      workflowId: this.#workflowIdOf(name),
      batchId: this.#batches.get(name) ?? null,
    }));
  }

  /** What the runs wait for, as far as it is known; null if nothing. */
  get waitingFor(): string | null {
    return this.#stalled.values().next().value ?? this.#waitingFor;
  }

  /** Notes a run that an earlier run of the bulk batch has started. */
  resume(name: string): void {
    this.#open.add(name);
  }

  /** Starts a run, unless it was before, or its workflow id is still taken by a run of an earlier bulk batch. */
  async start(run: NewRun): Promise<'started' | 'occupied'> {
    if (!this.#reports.has(run.name)) {
      const workflowId = this.#workflowIdOf(run.name);
      const bulkRun = workflowInfo().firstExecutionRunId;
      const input = { ...run, workflowId, origin: this.#origin, bulkRun, hasAttributes: hasAttributes() };
      const started = await CancellationScope.nonCancellable(() =>
        runActivity(temporalActivities.startPart, `Start ${run.name}`, input),
      );
      if (started.kind === 'occupied') return 'occupied';
      if (started.kind === 'ended') this.#reports.set(run.name, started.report);
    }
    this.#open.add(run.name);
    this.#onChange();
    if (this.#run.cancellation) void this.#sendCancel(run.name);
    else if (this.#state.isPaused) void this.#sendHold(run.name);
    return 'started';
  }

  /** Waits until the run of an earlier bulk batch has ended that has the workflow id, or until a cancel. */
  async untilFree(name: string): Promise<void> {
    const workflowId = this.#workflowIdOf(name);
    this.#setStalled(name, `the end of ${workflowId}, left by an earlier run`);
    const summary = `Wait for the end of the earlier ${workflowId}`;
    await this.#run.untilCancelled(() => runActivity(shortActivities.awaitEnd, summary, { workflowId }));
    this.#setStalled(name, null);
  }

  /** Waits for the end of a run that was started. */
  async end(name: string): Promise<EndReport> {
    const hasEnded = () => this.#reports.has(name);
    await this.#stalls.during(
      this.#workflowIdOf(name),
      (reason) => this.#setStalled(name, reason),
      () => condition(hasEnded),
    );
    const report = this.#reports.get(name)!;
    this.#reports.delete(name);
    this.#open.delete(name);
    this.#stalled.delete(name);
    this.#batches.delete(name);
    if (this.#open.size === 0) this.#waitingFor = null;
    this.#onChange();
    return report;
  }

  /** Cancels all runs. They end by themselves and keep what their batches have answered. */
  cancel(): void {
    for (const name of this.#open) void this.#sendCancel(name);
  }

  /** Tells all runs whether they may create their batches now. */
  hold(): void {
    for (const name of this.#open) void this.#sendHold(name);
  }

  /** Does the work. If it fails, nobody is left to take the results of the runs, so they are cancelled. */
  async cancelledOnFailure(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      await Promise.all([...this.#open].map((name) => this.#sendCancel(name)));
      throw error;
    }
  }

  /** Looks after runs that end without a report, until the work is done. */
  async watching<T>(work: () => Promise<T>): Promise<T> {
    const scope = new CancellationScope();
    const summary = 'Look for runs of parts that ended without a report';
    const watching = scope
      .run(() => runActivity(shortActivities.watchParts, summary))
      .catch((error: unknown) => {
        if (!isCancellation(error) && !scope.consideredCancelled) throw error;
      });
    try {
      return await work();
    } finally {
      scope.cancel();
      await watching;
    }
  }

  #workflowIdOf(name: string): string {
    return partRunIdOf(workflowInfo().workflowId, name);
  }

  #sendCancel(name: string): Promise<void> {
    return this.#send(name, cancelSignal, CANCEL_REASON);
  }

  #sendHold(name: string): Promise<void> {
    return this.#send(name, holdSignal, this.#state.isPaused);
  }

  async #send<Args extends unknown[]>(name: string, signal: SignalDefinition<Args>, ...args: Args): Promise<void> {
    this.#sending += 1;
    await signalRun(this.#workflowIdOf(name), signal, ...args);
    this.#sending -= 1;
  }

  #tellCapacity(): void {
    for (const name of this.#open) void this.#send(name, tellCapacitySignal);
  }

  #receive(report: unknown): void {
    // Anybody can send signals, with any argument or none, and an earlier bulk batch may have had the same id.
    if (!isReport(report) || report.origin !== this.#origin.runId) return;
    const { batchId, status, results, failure } = report;
    this.#reports.set(report.name, { batchId, status, results, failure });
  }

  #hear(waitingFor: unknown, batches: unknown): void {
    this.#waitingFor = typeof waitingFor === 'string' ? waitingFor : null;
    const ids = typeof batches === 'object' && batches !== null ? Object.entries(batches) : [];
    for (const [name, id] of ids as [string, unknown][]) {
      if (this.#open.has(name) && typeof id === 'string') this.#batches.set(name, bounded(id, MAX_ID));
    }
    this.#onChange();
  }

  #setStalled(name: string, reason: string | null): void {
    if (reason === null) this.#stalled.delete(name);
    else this.#stalled.set(name, reason);
    this.#onChange();
  }

  #openParts(): OpenParts {
    const runs = Object.fromEntries([...this.#open].map((name) => [name, this.#workflowIdOf(name)]));
    return {
      origin: this.#origin.runId,
      resultsUri: this.#state.resultsUri ?? '',
      runs,
      waitingFor: this.#waitingFor,
      provider: this.#provider,
      batches: Object.fromEntries(this.#batches),
    };
  }
}

function isReport(value: unknown): value is PartReport {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'origin' in value &&
    'results' in value &&
    'failure' in value
  );
}
