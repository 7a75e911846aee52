/**
 * Everything from outside that can interrupt a run: the `cancel` and `wake` signals, the deadline and Temporal's
 * cancellation. Each is recorded here as a request; what it means at the current step is up to the lifecycle.
 */
import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import type { Attention, Cancellation, Phase } from '../../contract/progress.js';
import { toMs, type Deadline } from '../../contract/duration.js';
import { bounded } from '../../contract/text.js';
import type { ShownFailure } from '../../contract/failure-facts.js';
import { cancelSignal, wakeSignal } from '../messages.js';
import { asRunFailure } from './run-failures.js';
import { now } from './time.js';

/** The value of some work, or that a cancel or wake interrupted it. */
export type Interruptible<T> =
  | { readonly value: T; readonly interrupted: false }
  /** `outcomeUnknown`: the last attempt failed, so the work may have been done nevertheless. */
  | { readonly interrupted: true; readonly outcomeUnknown: boolean };

/** Further `wake` signals of a run are ignored, since each costs a few events of history. Polling continues. */
const MAX_WAKES = 300;

const MAX_WARNINGS = 50;

/** Longest warning or reason that is kept, in characters. */
const MAX_TEXT = 500;

export class RunControl {
  phase: Phase = 'checking';
  /** Epoch seconds. */
  phaseSince = now();
  cancellation: Cancellation | null = null;
  /** Null while everything that the run asks for is answered. */
  attention: Attention | null = null;
  readonly warnings: string[] = [];
  /** Why the run has failed; null if it has not. */
  failure: ShownFailure | null = null;
  /** Epoch seconds; null without a deadline. */
  deadlineAt: number | null = null;

  /** Called after every change that the details page shows. */
  onChange: () => void = () => undefined;
  /** Called once, at the first request to cancel. */
  onCancel: () => void = () => undefined;

  /** Whether Temporal's cancellation was requested, so that the run ends as Cancelled. */
  #isWorkflowCancelled = false;
  #wakes = 0;
  readonly #scopesEndedByCancel = new Set<CancellationScope>();
  readonly #scopesEndedByWake = new Set<CancellationScope>();
  readonly #scopesEndedByEnd = new Set<CancellationScope>();

  constructor() {
    setHandler(cancelSignal, (reason) => this.#cancel('signal', typeof reason === 'string' ? reason : null), {
      description: 'Cancels the job at the provider and keeps the partial results. Optional argument: a reason.',
    });
    setHandler(
      wakeSignal,
      () => {
        this.#wakes += 1;
        if (this.#wakes <= MAX_WAKES) this.pollNow();
      },
      { description: 'Hints that the job may have changed. It is read now instead of at the next poll.' },
    );
  }

  warn(text: string): void {
    if (this.warnings.includes(text) || this.warnings.length >= MAX_WARNINGS) return;
    this.warnings.push(bounded(text, MAX_TEXT));
    this.onChange();
  }

  needsAttention(attention: Attention | null): void {
    this.attention = attention;
    this.onChange();
  }

  enter(phase: Phase): void {
    if (phase !== this.phase) this.phaseSince = now();
    this.phase = phase;
    this.onChange();
  }

  /**
   * Runs a lifecycle to its end. Temporal's cancellation does not stop it but counts as a request to cancel: the job is
   * cancelled at the provider and its partial results are kept; then the run ends as Cancelled.
   *
   * @throws the failure inside an activity's failure, so that a caller sees its type
   */
  async runToEnd<T>(deadline: Deadline | undefined, lifecycle: () => Promise<T>): Promise<T> {
    CancellationScope.current().cancelRequested.catch(() => {
      this.#isWorkflowCancelled = true;
      this.#cancel('workflow', null);
    });
    return CancellationScope.nonCancellable(async () => {
      const deadlineScope = this.#startDeadline(deadline);
      try {
        const result = await lifecycle();
        if (this.#isWorkflowCancelled) {
          throw new CancelledFailure('Workflow cancelled; its jobs at the provider were cancelled first');
        }
        return result;
      } catch (error) {
        throw this.failed(asRunFailure(error));
      } finally {
        this.enter('done');
        deadlineScope.cancel();
        for (const scope of this.#scopesEndedByEnd) scope.cancel();
        await condition(allHandlersFinished);
      }
    });
  }

  /** Notes why the run fails. Returns the error itself. */
  failed(error: unknown): unknown {
    if (!(error instanceof ApplicationFailure)) return error;
    const { type, message, details } = error;
    this.failure = { type: type ?? 'UnexpectedError', message, details: details?.[0] ?? null };
    return error;
  }

  /** Does the work unless a cancel was requested before, or is requested meanwhile. */
  untilCancelled<T>(work: () => Promise<T>): Promise<Interruptible<T>> {
    if (this.cancellation) return Promise.resolve({ interrupted: true, outcomeUnknown: false });
    return interruptedBy([this.#scopesEndedByCancel], work);
  }

  /** Does the work of an update unless the run ends meanwhile: an update must not hold up the end of the run. */
  untilEnded<T>(work: () => Promise<T>): Promise<Interruptible<T>> {
    return interruptedBy([this.#scopesEndedByEnd], work);
  }

  /** Does the work unless a wake or the first cancel is requested meanwhile. */
  untilWokenOrCancelled<T>(work: () => Promise<T>): Promise<Interruptible<T>> {
    return interruptedBy([this.#scopesEndedByCancel, this.#scopesEndedByWake], work);
  }

  /** Interrupts the wait for the next poll. */
  pollNow(): void {
    for (const scope of this.#scopesEndedByWake) scope.cancel();
  }

  #cancel(by: Cancellation['by'], reason: string | null): void {
    if (this.cancellation || this.phase === 'done') return;
    this.cancellation = { by, reason: reason === null ? null : bounded(reason, MAX_TEXT), at: now() };
    for (const scope of this.#scopesEndedByCancel) scope.cancel();
    this.onCancel();
    this.onChange();
  }

  #startDeadline(deadline: Deadline | undefined): CancellationScope {
    const scope = new CancellationScope();
    if (deadline === undefined) return scope;
    const inMs = typeof deadline === 'number' ? deadline * 1_000 - Date.now() : toMs(deadline);
    this.deadlineAt = Math.ceil((Date.now() + inMs) / 1_000);
    if (inMs <= 0) {
      this.#cancel('deadline', null);
      return scope;
    }
    scope
      .run(() => sleep(inMs, { summary: 'Deadline of the run' }))
      .then(() => this.#cancel('deadline', null))
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
    return scope;
  }
}

/**
 * Once a cancel is requested, Temporal stops retrying an activity and surfaces the error of its last attempt: its
 * worker died, or the provider was unavailable just then. That error says nothing about the run unless it is
 * non-retryable.
 */
function isErrorOfCancelledAttempt(error: unknown): boolean {
  if (!(error instanceof ActivityFailure)) return false;
  return !(error.cause instanceof ApplicationFailure && error.cause.nonRetryable);
}

async function interruptedBy<T>(
  requests: readonly Set<CancellationScope>[],
  work: () => Promise<T>,
): Promise<Interruptible<T>> {
  const scope = new CancellationScope();
  for (const scopes of requests) scopes.add(scope);
  try {
    return { value: await scope.run(work), interrupted: false };
  } catch (error) {
    if (scope.consideredCancelled && isCancellation(error)) return { interrupted: true, outcomeUnknown: false };
    if (scope.consideredCancelled && isErrorOfCancelledAttempt(error)) {
      return { interrupted: true, outcomeUnknown: true };
    }
    throw error;
  } finally {
    for (const scopes of requests) scopes.delete(scope);
  }
}
