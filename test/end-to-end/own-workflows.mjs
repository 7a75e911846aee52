/** A user's own workflows file: ours by name, as the README says. */
export { runBatch, runFineTuning } from 'temporal-llm-jobs/workflows';
