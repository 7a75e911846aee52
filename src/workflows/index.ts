/**
 * The workflows, for a worker of your own: re-export them by name from your workflows file.
 *
 * @example
 * ```ts
 * export { runBatch, runFineTuning } from 'temporal-llm-jobs/workflows';
 * ```
 */
export { runBatch } from './batch.js';
export { runFineTuning } from './fine-tuning.js';
