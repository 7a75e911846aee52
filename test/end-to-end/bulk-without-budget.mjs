/** A workflows file in which a user forgot the token budget. */
export { runBatch, runBulkBatch } from 'temporal-llm-jobs/workflows';
