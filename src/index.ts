/**
 * For workers: the activities, the plugin, and what providers and storage need. Client, workflows and testing have
 * separate entry points.
 */
export { createActivities, InvalidOptionsError, type Activities, type ActivitiesOptions } from './activities/index.js';
export { findOrphans, type FindOrphansOptions, type Orphan, type OrphanKind } from './orphans/find-orphans.js';
export { defineConfig } from './config/define-config.js';
export type { LlmJobsConfig } from './config/schema.js';
export * from './contract/index.js';
export { METRIC_BUCKETS } from './contract/metrics.js';
export type { OpenAIClient } from './provider/openai-client.js';
export type { ProviderOptions, ProviderTraits } from './provider/providers.js';
export * from './storage/index.js';
export { LlmJobsPlugin } from './worker/plugin.js';
