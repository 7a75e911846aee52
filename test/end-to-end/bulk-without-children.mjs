/** A workflows file in which a user forgot what a bulk batch starts. */
export { runBulkBatch, tokenBudget } from 'temporal-llm-jobs/workflows';
