/**
 * The workflows, for a worker of your own: re-export them by name from your workflows file.
 *
 * @example
 * ```ts
 * export { runBatch, runBulkBatch, runFineTuning, tokenBudget } from 'temporal-llm-jobs/workflows';
 * ```
 */
export { runBatch } from './batch.js';
export { runBulkBatch } from './bulk-batch.js';
export { runFineTuning } from './fine-tuning.js';
export { tokenBudget } from './token-budget.js';
