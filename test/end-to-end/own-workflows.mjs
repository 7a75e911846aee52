/** A user's own workflows file: ours by name, as the README says. */
export { runBatch, runFineTuning, watchAccount } from 'temporal-llm-jobs/workflows';
