import { createRequire } from 'node:module';
import { SimplePlugin } from '@temporalio/plugin';
import { Runtime, type BundleOptions } from '@temporalio/worker';
import { createActivities, type ActivitiesOptions } from '../activities/index.js';
import { warnOfProviders } from '../provider/probe.js';
import { Providers } from '../provider/providers.js';

/** By its name: in the package, this file and that one are compiled. */
const WORKFLOWS = 'temporal-llm-jobs/workflows';

/**
 * Adds the activities to an existing worker. When it starts, each provider is asked for one batch, and a key that is
 * refused or an API that does not answer is logged as a warning. A plugin cannot add workflows: re-export them by name
 * from the workflows file of that worker.
 *
 * @example
 * ```ts
 * import { fileURLToPath } from 'node:url';
 * import { Worker } from '@temporalio/worker';
 * import OpenAI from 'openai';
 * import { LlmJobsPlugin } from 'temporal-llm-jobs';
 *
 * const client = new OpenAI();
 * await Worker.create({
 *   taskQueue: 'llm-jobs',
 *   workflowsPath: fileURLToPath(import.meta.resolve('./workflows.js')),
 *   plugins: [new LlmJobsPlugin({ providers: { default: { client } }, storage: ['file:///data/'] })],
 * });
 * ```
 */
export class LlmJobsPlugin extends SimplePlugin {
  /**
   * Checks the options and makes the activities.
   *
   * @throws InvalidOptionsError with every fault of the options
   */
  constructor(options: ActivitiesOptions) {
    super({
      name: 'temporal-llm-jobs',
      activities: createActivities(options),
      runContext: (next) => {
        void warnOfProviders(new Providers(options.providers), (text) => Runtime.instance().logger.warn(text));
        return next();
      },
    });
  }

  /** Loads the workflows of this package once for the worker, where each run would load them for itself. */
  override configureBundler(options: BundleOptions): BundleOptions {
    const bundler = super.configureBundler(options);
    const workflows = createRequire(import.meta.url).resolve(WORKFLOWS);
    return { ...bundler, preloadModules: [...(bundler.preloadModules ?? []), workflows] };
  }
}
