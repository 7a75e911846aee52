/** A workflows file in which a user forgot what a bulk batch starts. */
export { runBulkBatch, tokenBudget, watchAccount } from 'temporal-llm-jobs/workflows';
