import type { LlmJobsConfig } from './schema.js';

/**
 * Returns its argument: an editor then completes and checks the configuration.
 *
 * @example `llm-jobs.config.ts`
 * ```ts
 * import { defineConfig } from 'temporal-llm-jobs/config';
 *
 * export default defineConfig({
 *   accounts: {
 *     default: { preset: 'openai' },
 *     groq: { preset: 'groq', apiKey: { file: '/run/secrets/groq' } },
 *   },
 *   storage: 's3://bucket/jobs/',
 * });
 * ```
 */
export function defineConfig(config: LlmJobsConfig): LlmJobsConfig {
  return config;
}
