/** The activities: the only code that calls the API or touches storage. */
import type { Activities } from '../contract/activities/index.js';
import { toMs, type Duration } from '../contract/spec-fields.js';
import { Providers, type ProviderOptions } from '../provider/providers.js';
import { Storage } from '../storage/storage.js';
import { batchInputActivities } from './batch-input.js';
import { batchResultActivities } from './batch-results.js';
import { batchActivities } from './batch.js';
import { tokenBudgetActivities } from './token-budget.js';
import { bulkBatchActivities } from './bulk-batch.js';
import { fileActivities } from './files.js';
import { fineTuningResultActivities } from './fine-tuning-results.js';
import { fineTuningActivities } from './fine-tuning.js';
import { withFailures } from './runtime/with-failures.js';
import type { ActivityContext } from './runtime/context.js';
import { trainingInputActivities } from './training-input.js';

export interface ActivitiesOptions {
  /** The providers by name; specs say which one (`default` if they do not). */
  readonly providers: Readonly<Record<string, ProviderOptions>>;
  /** Where files are read and written: URIs of the allowed roots (the first is where results land by default), or a storage. */
  readonly storage: readonly string[] | Storage;
  /** Bounds of the poll interval. Default `'5s'` to `'5m'`; a job is polled at about a tenth of its age between them. */
  readonly poll?: { readonly min?: Duration; readonly max?: Duration };
}

/** The activities of all lifecycles, to be registered with a worker. */
export function createActivities(options: ActivitiesOptions): Activities {
  const toolbox: ActivityContext = {
    providers: new Providers(options.providers),
    storage: options.storage instanceof Storage ? options.storage : new Storage({ roots: options.storage }),
    poll: { minMs: toMs(options.poll?.min ?? '5s'), maxMs: toMs(options.poll?.max ?? '5m') },
  };
  return withFailures(
    {
      ...fileActivities(toolbox),
      ...batchInputActivities(toolbox),
      ...batchActivities(toolbox),
      ...batchResultActivities(toolbox),
      ...bulkBatchActivities(toolbox),
      ...tokenBudgetActivities(toolbox),
      ...trainingInputActivities(toolbox),
      ...fineTuningActivities(toolbox),
      ...fineTuningResultActivities(toolbox),
    },
    toolbox,
  );
}

export type { Activities } from '../contract/activities/index.js';
