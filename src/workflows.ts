/**
 * The workflows, for a worker of your own: re-export them by name from your workflows file.
 *
 * @example
 * ```ts
 * export { runBatch, runBulkBatch, runFineTuning, tokenBudget } from 'temporal-llm-jobs/workflows';
 * ```
 */
export { runBatch } from './workflows/batch.js';
export { runBulkBatch } from './workflows/bulk-batch.js';
export { runFineTuning } from './workflows/fine-tuning.js';
export { tokenBudget } from './workflows/token-budget.js';
