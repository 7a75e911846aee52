/** The configuration of workers and commands: `llm-jobs.config.ts` and its kind. */
export type { AccountConfig, SecretFunction } from './config/account-schema.js';
export { defineConfig } from './config/define-config.js';
export { ConfigError, type ConfigFault } from './config/faults.js';
export { loadConfig, type LoadConfigOptions } from './worker/load-config.js';
export { costRange, priceOf, type Price, type PriceTable } from './config/prices.js';
export type { LlmJobsConfig } from './config/schema.js';
