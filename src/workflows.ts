/**
 * The workflows, for a worker with its own workflows file, which re-exports them by name.
 *
 * @example
 * ```ts
 * export { runBatch, runBulkBatch, runFineTuning, tokenBudget, watchAccount } from 'temporal-llm-jobs/workflows';
 * ```
 */
export { runBatch } from './workflows/batch.js';
export { runBulkBatch } from './workflows/bulk-batch.js';
export { runFineTuning } from './workflows/fine-tuning.js';
export { tokenBudget } from './workflows/token-budget.js';
export { watchAccount } from './workflows/watch-account.js';
