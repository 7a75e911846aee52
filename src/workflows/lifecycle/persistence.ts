/**
 * Once a job exists, no refusal ends its run: what is refused, or gets no answer, is asked again at growing intervals
 * of up to an hour, until it is answered or `giveUpAfter` has passed. Meanwhile the run needs attention, which its
 * progress, its details page and a warning show. This is the only place that knows this rule.
 */
import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';
import type { Attention } from '../../contract/progress.js';
import { bounded } from '../../contract/text.js';
import { atMost } from './at-most.js';
import { Evidence } from './evidence.js';
import type { RunControl } from './run-control.js';
import { messageOf } from './run-failures.js';
import { now } from './time.js';

type Operation = Attention['operation'];

const FIRST_WAIT_MS = 10_000;
const MAX_WAIT_MS = 60 * 60 * 1_000;

/** The wait is at most this share of the time after which the run gives up, so that it does not miss that moment. */
const WAIT_SHARE = 4;

/** Attempts without an answer (not: refused) after which a person is called: most outages end before. */
const QUIET_ATTEMPTS = 1;

/** Warnings of one run about attention. An outage that comes and goes must not displace all other warnings. */
const MAX_WARNINGS = 10;

/** Longest message that is kept, in characters. */
const MAX_MESSAGE = 500;

/**
 * Failures that say something of the input or of the job instead of refusing an answer. The same question would get the
 * same answer for ever.
 */
const VERDICTS: ReadonlySet<unknown> = new Set([
  'AmbiguousCreate',
  'BatchFailed',
  'FineTuningFailed',
  'InputChanged',
  'InvalidInput',
  'JobStuck',
  'JobVanished',
]);

const REFUSALS: ReadonlySet<unknown> = new Set(['ApiRefused', 'StorageRefused', 'UnknownProvider']);

/** What the run asks for in the words of the warning. */
const ASKED_FOR: Record<Operation, string> = {
  read: 'read the job',
  cancel: 'cancel the job',
  search: 'search for further jobs of this run',
  collect: 'collect the results',
  plan: 'plan the next round',
  merge: 'merge the results',
  record: 'record the outcomes of parts',
};

export interface PersistenceOptions {
  readonly giveUpAfterMs: number;
  /**
   * When the job should have ended, in epoch seconds, or null: only after that does the time count.
   *
   * @default null
   */
  readonly dueAt?: () => number | null;
}

/** Why there is no answer. */
export interface Unanswered {
  readonly failure: ActivityFailure;
  readonly attention: Attention;
  /** Whether it has gone on for `giveUpAfter`. */
  readonly isGivenUp: boolean;
}

type Attempted<T> =
  | { readonly value: T; readonly unanswered?: undefined }
  | { readonly value?: undefined; readonly unanswered: Unanswered };

interface Question {
  attention: Attention;
  attempts: number;
  isShown: boolean;
  readonly evidence: Evidence;
}

export class Persistence {
  readonly #run: RunControl;
  readonly #options: PersistenceOptions;
  /** What has no answer at the moment. */
  readonly #open = new Map<Operation, Question>();
  #warnings = 0;

  constructor(run: RunControl, options: PersistenceOptions) {
    this.#run = run;
    this.#options = options;
  }

  /** Whether the latest attempt had no answer. */
  isUnanswered(operation: Operation): boolean {
    return this.#open.has(operation);
  }

  /**
   * Asks once.
   *
   * @param isAnswer whether what the call returns is an answer; @default always
   * @throws what the call throws unless it is a refusal, or want of an answer
   */
  async attempt<T>(
    operation: Operation,
    call: () => Promise<T>,
    isAnswer: (value: T) => boolean = () => true,
  ): Promise<Attempted<T>> {
    try {
      const value = await call();
      if (isAnswer(value)) this.forget(operation);
      return { value };
    } catch (error) {
      if (!isUnanswered(error)) throw error;
      return { unanswered: this.#note(operation, error) };
    }
  }

  /**
   * Asks until there is an answer, or until the run gives up.
   *
   * @param isOver whether the answer is no longer of use
   */
  async ask<T>(operation: Operation, call: () => Promise<T>, isOver = () => false): Promise<Attempted<T>> {
    while (true) {
      const attempted = await this.attempt(operation, call);
      if (!attempted.unanswered || attempted.unanswered.isGivenUp) return attempted;
      await this.pause(operation, isOver);
      if (!isOver()) continue;
      this.forget(operation);
      return attempted;
    }
  }

  /** Like {@link ask}. @throws the last failure, as the activity threw it, where there is no answer */
  async untilAnswered<T>(operation: Operation, call: () => Promise<T>, isOver?: () => boolean): Promise<T> {
    const { value, unanswered } = await this.ask(operation, call, isOver);
    if (unanswered) throw unanswered.failure;
    return value;
  }

  /** What was asked no longer matters. */
  forget(operation: Operation): void {
    if (this.#open.delete(operation)) this.#show();
  }

  /** Waits until it is time to ask again. A wake, the first cancel and the end of the question end the wait. */
  async pause(operation: Operation, isOver = () => false): Promise<void> {
    const attempts = this.#open.get(operation)?.attempts ?? 1;
    const longest = Math.min(MAX_WAIT_MS, Math.max(this.#options.giveUpAfterMs / WAIT_SHARE, 1_000));
    const summary = `No answer: wait before the next attempt to ${ASKED_FOR[operation]}`;
    const waitMs = Math.min(growing(FIRST_WAIT_MS, attempts), longest);
    await this.#run.untilWokenOrCancelled(() => atMost(waitMs, summary, isOver));
  }

  #note(operation: Operation, failure: ActivityFailure): Unanswered {
    const message = bounded(messageOf(failure), MAX_MESSAGE);
    const { giveUpAfterMs, dueAt } = this.#options;
    const known = this.#open.get(operation);
    const attention: Attention = { since: known?.attention.since ?? now(), operation, message };
    const question = known ?? { attention, attempts: 0, isShown: false, evidence: new Evidence(giveUpAfterMs) };
    question.attention = attention;
    question.attempts += 1;
    this.#open.set(operation, question);
    if (!question.isShown && (isRefusal(failure) || question.attempts > QUIET_ATTEMPTS)) {
      question.isShown = true;
      this.#warn(attention);
    }
    this.#show();
    const due = dueAt?.() ?? null;
    const isGivenUp = question.evidence.observe(Date.now(), due === null ? -Infinity : due * 1_000);
    return { failure, attention, isGivenUp };
  }

  #warn({ operation, message }: Attention): void {
    this.#warnings += 1;
    if (this.#warnings > MAX_WARNINGS) return;
    this.#run.warn(`Could not ${ASKED_FOR[operation]} for a while: ${message}`);
  }

  #show(): void {
    const shown = [...this.#open.values()].filter(({ isShown }) => isShown).map(({ attention }) => attention);
    this.#run.needsAttention(shown.toSorted((a, b) => a.since - b.since)[0] ?? null);
  }
}

/** The wait after so many attempts: it doubles, up to an hour. */
export function growing(firstMs: number, attempts: number): number {
  return Math.min(firstMs * 2 ** Math.min(attempts - 1, 20), MAX_WAIT_MS);
}

/** Whether an activity failed because it was refused or got no answer. */
export function isUnanswered(error: unknown): error is ActivityFailure {
  if (!(error instanceof ActivityFailure) || isCancellation(error)) return false;
  return !(error.cause instanceof ApplicationFailure && VERDICTS.has(error.cause.type));
}

function isRefusal({ cause }: ActivityFailure): boolean {
  return cause instanceof ApplicationFailure && REFUSALS.has(cause.type);
}
