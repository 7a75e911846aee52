/**
 * The watch of an account: one run for all jobs of a task queue at a provider. It reads the provider's lists and wakes
 * the runs of the jobs that have begun or ended, so that these can sleep. It knows nothing that must not be lost: each
 * job names its run in its metadata.
 */
import {
  CancellationScope,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import {
  isAnnouncedJob,
  type AnnouncedJob,
  type WatchAccountInput,
  type WatchedKind,
} from '../contract/account-watch.js';
import { code } from './details/markdown.js';
import { runActivity, shortActivities, sweepActivities } from './lifecycle/activity-calls.js';
import { atMost } from './lifecycle/at-most.js';
import { isHistoryLong } from './lifecycle/history-limit.js';
import { growing, isUnanswered } from './lifecycle/persistence.js';
import { messageOf } from './lifecycle/run-failures.js';
import { announceSignal } from './messages.js';

/**
 * A new job makes the sweeps begin anew, at short intervals, after this long at the earliest. Until then the intervals
 * are still short: they grow with the age of the youngest job.
 */
const BEGIN_AGAIN_MS = 60_000;

/** Newest of the announced jobs that are passed to a sweep. Others are found in the list. */
const MAX_ANNOUNCED = 1_000;

const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 10 * 60_000;

/** So many refusals in a row, over a week, end the watch. Each run looks at its job by itself then. */
const MAX_REFUSALS = 1_000;

const HOW_IT_WORKS = [
  'Reads the lists of jobs at the provider and wakes the runs of those that have begun or ended.',
  'The last failure under *Pending Activities* tells what it saw; `NothingNew` is not an error.',
  'It ends when no job is open. If it is terminated, each run looks at its own job within hours, and starts it again.',
].join(' ');

/**
 * Reads the lists of jobs of an account and wakes the runs whose jobs have begun or ended. Runs start it when they need it.
 *
 * @param announced the library's own, for a run that continues an earlier one
 */
export async function watchAccount(input: WatchAccountInput, announced?: readonly AnnouncedJob[]): Promise<void> {
  await new AccountWatch(input, announced).execute();
}

class AccountWatch {
  readonly #provider: string;
  readonly #isContinued: boolean;
  /** Kinds of jobs that have been announced. Sweeps skip the lists of all other kinds. */
  readonly #kinds = new Set<WatchedKind>();
  /** Jobs that no sweep was told of yet. */
  #announced: readonly AnnouncedJob[];
  #refusals = 0;

  constructor({ provider }: WatchAccountInput, announced: readonly AnnouncedJob[] | undefined) {
    this.#provider = provider;
    this.#isContinued = announced !== undefined;
    this.#announced = announced ?? [];
    // A handler that throws would stop the watch for every job of the account, so the argument is checked.
    setHandler(
      announceSignal,
      (job) => {
        if (isAnnouncedJob(job)) this.#announced = [...this.#announced, job].slice(-MAX_ANNOUNCED);
      },
      { description: 'Announces a job that was just created: an AnnouncedJob.' },
    );
  }

  async execute(): Promise<void> {
    setCurrentDetails(HOW_IT_WORKS);
    if (this.#isContinued) await runActivity(shortActivities.followDeployments, 'Move on with new deployments');
    while (true) {
      const announced = this.#announced;
      this.#announced = [];
      const isOver = await this.#sweep(announced);
      // A job that was announced meanwhile keeps the watch. The server does not let a run end on an unread signal.
      if (isOver && this.#announced.length === 0) return;
      if (isHistoryLong()) {
        await continueAsNew<typeof watchAccount>({ provider: this.#provider }, this.#announced);
      }
    }
  }

  /** Sweeps until no job is open, or until there are new ones. Returns whether the watch is over. */
  async #sweep(announced: readonly AnnouncedJob[]): Promise<boolean> {
    const provider = this.#provider;
    const startedAt = Date.now();
    for (const { kind } of announced) this.#kinds.add(kind);
    const scope = new CancellationScope();
    try {
      return await scope.run(async () => {
        const summary = `Watch the jobs at provider ${provider}`;
        const swept = runActivity(sweepActivities.sweepAccount, summary, { provider, announced }).then(() => true);
        const hasNew = this.#untilNew(startedAt).then(() => false);
        for (const waiting of [swept, hasNew]) waiting.catch(() => undefined);
        const isOver = await Promise.race([swept, hasNew]);
        this.#refusals = 0;
        return isOver;
      });
    } catch (error) {
      if (!isUnanswered(error)) throw error;
      return await this.#afterRefusal(announced, error);
    } finally {
      scope.cancel();
    }
  }

  async #untilNew(startedAt: number): Promise<void> {
    await condition(() => this.#announced.length > 0);
    const restMs = startedAt + BEGIN_AGAIN_MS - Date.now();
    const isDue = () => restMs <= 0 || this.#announced.some(({ kind }) => !this.#kinds.has(kind));
    await atMost(restMs, 'Until the sweeps begin anew for new jobs', isDue);
  }

  async #afterRefusal(announced: readonly AnnouncedJob[], error: unknown): Promise<boolean> {
    this.#refusals += 1;
    setCurrentDetails(`${HOW_IT_WORKS}\n\n**The provider refuses its list:** ${code(messageOf(error), 500)}`);
    if (this.#refusals > MAX_REFUSALS) return true;
    this.#announced = [...announced, ...this.#announced].slice(-MAX_ANNOUNCED);
    const waitMs = Math.min(growing(FIRST_WAIT_MS, this.#refusals), LONGEST_WAIT_MS);
    await sleep(waitMs, { summary: 'Until the provider is asked again' });
    return false;
  }
}
