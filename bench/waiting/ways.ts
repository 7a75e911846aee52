/** The ways of waiting that are compared, and how fast a simulated day passes. */

export const WAYS = ['timer loop', 'look a job', 'watch', 'watch and webhooks'] as const;
export type Way = (typeof WAYS)[number];

export const HOUR_MS = 3_600_000;
export const DAY_HOURS = 24;

/** Between two looks of the timer loop. */
export const TIMER_LOOP_MS = 60_000;

/** The defaults of the ready-made worker. */
const POLL_MIN_MS = 5_000;
export const POLL_MAX_MS = 300_000;
const NET_MS = 6 * HOUR_MS;

/** The worker's settings when time passes `scale` times as fast. What is a constant in its code stays as it is. */
export function workerPace(way: Way, scale: number): Record<string, string> {
  const scaled = (ms: number) => `${Math.max(1, Math.round(ms / scale))}ms`;
  return {
    LLM_JOBS_WATCH: way === 'look a job' ? 'job' : 'account',
    LLM_JOBS_POLL_MIN: scaled(POLL_MIN_MS),
    LLM_JOBS_POLL_MAX: scaled(POLL_MAX_MS),
    LLM_JOBS_WATCH_NET: scaled(NET_MS),
  };
}

/** One request where the results are not what is measured. */
export const REQUEST = {
  custom_id: 'request-0',
  method: 'POST',
  url: '/v1/chat/completions',
  body: { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Name a number.' }] },
} as const;

/** Of a batch of several requests, the counts in the list move while it runs. */
export const REQUESTS = Array.from({ length: 50 }, (_, index) => ({ ...REQUEST, custom_id: `request-${index}` }));
