/** A user's own workflows file that has forgotten the token budget. */
export { runBatch, runBulkBatch } from 'temporal-llm-jobs/workflows';
