/**
 * What a person, a deadline or Temporal can do to a run: cancel it, or wake it. All of it arrives here and is only a wish; the
 * lifecycle decides what it means where it stands.
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
import type { Cancellation, Phase } from '../../contract/progress.js';
import { toMs, type Deadline } from '../../contract/spec-fields.js';
import { bounded } from '../../contract/text.js';
import { cancelSignal, wakeSignal } from '../messages.js';

/** What was done, or that a wish came in between. */
export type Interruptible<T> =
  | { readonly value: T; readonly interrupted: false }
  /** `outcomeUnknown`: its last attempt did not end in good order, so it may have been done all the same. */
  | { readonly interrupted: true; readonly outcomeUnknown: boolean };

/** More hints than this in one run are ignored (polling goes on): each costs a few events of history. */
const MAX_WAKES = 300;

export class RunControl {
  phase: Phase = 'checking';
  cancellation: Cancellation | null = null;
  readonly warnings: string[] = [];
  /** Temporal's own cancellation was asked for, so the run ends as Cancelled. */
  isWorkflowCancelled = false;

  /** Called whenever something changed that a person may want to see. */
  onChange: () => void = () => undefined;
  /** Called once, when the first wish to cancel comes in. */
  onCancel: () => void = () => undefined;
  /** Epoch seconds; null without a deadline. */
  deadlineAt: number | null = null;

  #wakes = 0;
  readonly #endedByCancel = new Set<CancellationScope>();
  readonly #endedByWake = new Set<CancellationScope>();

  constructor() {
    setHandler(cancelSignal, (reason) => this.#cancel('signal', typeof reason === 'string' ? reason : null), {
      description: 'Cancel the job at the provider and keep the partial results. Optional argument: a reason.',
    });
    setHandler(
      wakeSignal,
      () => {
        this.#wakes += 1;
        if (this.#wakes <= MAX_WAKES) this.lookAgain();
      },
      { description: 'A hint that the job may have changed: look at it now instead of at the next poll.' },
    );
  }

  warn(text: string): void {
    if (this.warnings.includes(text) || this.warnings.length >= 50) return;
    this.warnings.push(bounded(text, 500));
    this.onChange();
  }

  enter(phase: Phase): void {
    this.phase = phase;
    this.onChange();
  }

  /**
   * Runs a lifecycle to its end. Temporal's own cancellation does not tear it down: it is taken as a wish to cancel, the job is
   * cancelled at the provider and its partial results are kept, and only then the run ends as Cancelled.
   */
  async runToEnd<T>(deadline: Deadline | undefined, lifecycle: () => Promise<T>): Promise<T> {
    CancellationScope.current().cancelRequested.catch(() => {
      this.isWorkflowCancelled = true;
      this.#cancel('workflow', null);
    });
    return CancellationScope.nonCancellable(async () => {
      const clock = this.#startDeadline(deadline);
      try {
        const result = await lifecycle();
        if (this.isWorkflowCancelled) throw new CancelledFailure('Cancelled; the job was cancelled at the provider');
        return result;
      } finally {
        this.enter('done');
        clock.cancel();
        await condition(allHandlersFinished);
      }
    });
  }

  /** Does the work unless a cancel was or is asked for in the meantime. */
  untilCancelled<T>(work: () => Promise<T>): Promise<Interruptible<T>> {
    if (this.cancellation) return Promise.resolve({ interrupted: true, outcomeUnknown: false });
    return interruptedBy([this.#endedByCancel], work);
  }

  /** Does the work unless a hint or a (first) cancel comes in. */
  untilWokenOrCancelled<T>(work: () => Promise<T>): Promise<Interruptible<T>> {
    return interruptedBy([this.#endedByCancel, this.#endedByWake], work);
  }

  /** Ends the wait for the next look. */
  lookAgain(): void {
    for (const scope of this.#endedByWake) scope.cancel();
  }

  #cancel(by: Cancellation['by'], reason: string | null): void {
    if (this.cancellation || this.phase === 'done') return;
    const at = Math.floor(Date.now() / 1_000);
    this.cancellation = { by, reason: reason === null ? null : bounded(reason, 500), at };
    for (const scope of this.#endedByCancel) scope.cancel();
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
      .run(() => sleep(inMs, { summary: 'deadline' }))
      .then(() => this.#cancel('deadline', null))
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
    return scope;
  }
}

/**
 * An activity that is told to cancel is not retried any more, so its last attempt's failure comes through: its worker died (a time-out),
 * or the provider had no answer just then. It says nothing of the run; only a refusal for good does.
 */
function isLastWordOfACancelled(error: unknown): boolean {
  if (!(error instanceof ActivityFailure)) return false;
  return !(error.cause instanceof ApplicationFailure && error.cause.nonRetryable);
}

async function interruptedBy<T>(
  wishes: readonly Set<CancellationScope>[],
  work: () => Promise<T>,
): Promise<Interruptible<T>> {
  const scope = new CancellationScope();
  for (const wish of wishes) wish.add(scope);
  try {
    return { value: await scope.run(work), interrupted: false };
  } catch (error) {
    if (scope.consideredCancelled && isCancellation(error)) return { interrupted: true, outcomeUnknown: false };
    if (scope.consideredCancelled && isLastWordOfACancelled(error)) return { interrupted: true, outcomeUnknown: true };
    throw error;
  } finally {
    for (const wish of wishes) wish.delete(scope);
  }
}
