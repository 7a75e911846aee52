/** Task queue of workers and clients unless another one is configured. */
export const DEFAULT_TASK_QUEUE = 'llm-jobs';
