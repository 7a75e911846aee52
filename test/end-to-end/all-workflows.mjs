/** A workflows file with everything. */
export { runBatch, runBulkBatch, runFineTuning, tokenBudget, watchAccount } from 'temporal-llm-jobs/workflows';
