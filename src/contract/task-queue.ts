/** Task queue of the worker and the client where none is configured. */
export const DEFAULT_TASK_QUEUE = 'llm-jobs';
