/** All workflows of the worker: those of the package by name, and our own. */
export { runBatch, runBulkBatch, runFineTuning, tokenBudget, watchAccount } from 'temporal-llm-jobs/workflows';
export { answerQuestions } from './answer-questions.js';
