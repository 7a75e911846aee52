import { SimplePlugin } from '@temporalio/plugin';
import { createActivities, type ActivitiesOptions } from '../activities/index.js';

/**
 * Adds the activities to a worker of your own. Workflows cannot come by plugin: re-export them by name from your workflows file.
 *
 * @example
 * ```ts
 * await Worker.create({
 *   taskQueue: 'llm-jobs',
 *   workflowsPath: fileURLToPath(import.meta.resolve('./workflows.js')),
 *   plugins: [new LlmJobsPlugin({ providers: { default: { client: new OpenAI() } }, storage: ['file:///data/'] })],
 * });
 * ```
 */
export class LlmJobsPlugin extends SimplePlugin {
  constructor(options: ActivitiesOptions) {
    super({ name: 'temporal-llm-jobs', activities: createActivities(options) });
  }
}
