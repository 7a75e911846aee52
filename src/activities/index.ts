/** The activities: the part of the worker that calls the API and works on storage. */
import type { AccountWatchActivities } from '../contract/activities/account-watch.js';
import type { Activities } from '../contract/activities/index.js';
import type { BatchActivities } from '../contract/activities/batch.js';
import type { BulkBatchActivities } from '../contract/activities/bulk-batch.js';
import type { FileActivities } from '../contract/activities/files.js';
import type { FineTuningActivities } from '../contract/activities/fine-tuning.js';
import type { TokenBudgetActivities } from '../contract/activities/token-budget.js';
import type { OperatorActivities } from '../contract/activities/operators.js';
import type { PartRunActivities } from '../contract/activities/part-runs.js';
import { toMs, type Duration } from '../contract/duration.js';
import type { WatchMode } from '../contract/spec-fields.js';
import { Providers, type ProviderOptions } from '../provider/providers.js';
import { Storage } from '../storage/storage.js';
import { AccountWatchActivityGroup } from './account-watch.js';
import { BatchActivityGroup } from './batch.js';
import { BulkBatchActivityGroup } from './bulk-batch.js';
import { checkOptions } from './check-options.js';
import { FileActivityGroup } from './files.js';
import { FineTuningActivityGroup } from './fine-tuning.js';
import { OperatorActivityGroup } from './operators/operators.js';
import { PartRunActivityGroup } from './part-runs.js';
import type { ActivityContext } from './runtime/context.js';
import { withFailures } from './runtime/with-failures.js';
import { TokenBudgetActivityGroup } from './token-budget.js';

/** What the activities work with: providers and storage, and how they wait. */
export interface ActivitiesOptions {
  /** The providers by name. A spec names the one that it uses, `default` if it names none. */
  readonly providers: Readonly<Record<string, ProviderOptions>>;
  /** The allowed roots, as URIs (results are written to the first one unless a spec says otherwise), or a storage. */
  readonly storage: readonly string[] | Storage;
  /**
   * Bounds of the poll interval. Between them a job is polled at intervals of about a tenth of its age.
   * @default { min: '5s', max: '5m' }
   */
  readonly poll?: {
    /**
     * The shortest interval, while a job is young.
     * @default '5s'
     */
    readonly min?: Duration;
    /**
     * The longest interval.
     * @default '5m'
     */
    readonly max?: Duration;
  };
  /** How jobs are watched that are under way. */
  readonly watch?: {
    /**
     * `account`: one watch for all jobs of an account, which reads the provider's lists and wakes the runs of those that
     * have begun or ended. `job`: each run looks at its job itself. The `watch` of a spec takes precedence.
     * Providers that do not list jobs with their metadata are left to the runs.
     * @default 'account'
     */
    readonly mode?: WatchMode;
    /**
     * How often a run checks that its job is watched. A run whose job is not, looks at it itself.
     * @default '6h'
     */
    readonly net?: Duration;
    /**
     * What the watch does with a job whose run has ended, so that nobody waits for its results.
     * @default 'leave', and it is counted on the page of the watch
     */
    readonly onOrphan?: 'leave' | 'cancel';
  };
}

/**
 * The activities of all lifecycles, to be registered with a worker.
 *
 * @throws InvalidOptionsError with every fault of the options
 */
export function createActivities(options: ActivitiesOptions): Activities {
  checkOptions(options);
  const context: ActivityContext = {
    providers: new Providers(options.providers),
    storage: options.storage instanceof Storage ? options.storage : new Storage({ roots: options.storage }),
    poll: { minMs: toMs(options.poll?.min ?? '5s'), maxMs: toMs(options.poll?.max ?? '5m') },
    watch: {
      mode: options.watch?.mode ?? 'account',
      netMs: toMs(options.watch?.net ?? '6h'),
      onOrphan: options.watch?.onOrphan ?? 'leave',
    },
  };
  return {
    ...withFailures<FileActivities>(new FileActivityGroup(context), context),
    ...withFailures<BatchActivities>(new BatchActivityGroup(context), context),
    ...withFailures<FineTuningActivities>(new FineTuningActivityGroup(context), context),
    ...withFailures<BulkBatchActivities>(new BulkBatchActivityGroup(context), context),
    ...withFailures<PartRunActivities>(new PartRunActivityGroup(context), context),
    ...withFailures<AccountWatchActivities>(new AccountWatchActivityGroup(context), context),
    ...withFailures<OperatorActivities>(new OperatorActivityGroup(context), context),
    ...withFailures<TokenBudgetActivities>(new TokenBudgetActivityGroup(context), context),
  };
}

export type { Activities } from '../contract/activities/index.js';
export { InvalidOptionsError } from './check-options.js';
