import { SimplePlugin } from '@temporalio/plugin';
import { createActivities, type ActivitiesOptions } from '../activities/index.js';

/**
 * Adds the activities to an existing worker. A plugin cannot add workflows: re-export them by name from the workflows
 * file of that worker.
 *
 * @example
 * ```ts
 * const client = new OpenAI();
 * await Worker.create({
 *   taskQueue: 'llm-jobs',
 *   workflowsPath: fileURLToPath(import.meta.resolve('./workflows.js')),
 *   plugins: [new LlmJobsPlugin({ providers: { default: { client } }, storage: ['file:///data/'] })],
 * });
 * ```
 */
export class LlmJobsPlugin extends SimplePlugin {
  constructor(options: ActivitiesOptions) {
    super({ name: 'temporal-llm-jobs', activities: createActivities(options) });
  }
}
