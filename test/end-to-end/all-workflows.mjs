/** A workflows file with everything. */
export { runBatch, runBulkBatch, runFineTuning, tokenBudget } from 'temporal-llm-jobs/workflows';
