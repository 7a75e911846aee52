/** The configuration by environment variables: what a file leaves out. */
import { z } from 'zod';
import { durationSchema, WATCH_MODES } from '../contract/spec-fields.js';
import { ORPHAN_ACTIONS } from '../contract/worker-options.js';
import type { Environment } from './load-file.js';
import { checkConfig, type ConfigFault } from './faults.js';
import { ipAddress, LOG_LEVELS, MAX_ACTIVITIES, MAX_PORT, TRACING } from './schema.js';
import { sizeSchema } from './size.js';

const blankAsAbsent = (value: unknown): unknown => (typeof value === 'string' ? value.trim() || undefined : value);
const text = z.preprocess(blankAsAbsent, z.string().optional());
const count = (max: number, min = 1) =>
  z.preprocess(blankAsAbsent, z.coerce.number().int().min(min).max(max).optional());
const choice = <const Value extends string>(values: readonly Value[]) =>
  z.preprocess(blankAsAbsent, z.enum(values).optional());
const duration = z.preprocess(blankAsAbsent, durationSchema.optional());

const MAX_CREATES = 1_000_000;

export const environmentSchema = z.object({
  OPENAI_API_KEY: text,
  OPENAI_BASE_URL: z.preprocess(
    blankAsAbsent,
    z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  ),
  OPENAI_ORG_ID: text,
  OPENAI_PROJECT_ID: text,
  OPENAI_WEBHOOK_SECRET: text,
  LLM_JOBS_TASK_QUEUE: text,
  LLM_JOBS_STORAGE: text,
  LLM_JOBS_POLL_MIN: duration,
  LLM_JOBS_POLL_MAX: duration,
  LLM_JOBS_WATCH: choice(WATCH_MODES),
  LLM_JOBS_WATCH_NET: duration,
  LLM_JOBS_ON_ORPHAN: choice(ORPHAN_ACTIONS),
  LLM_JOBS_LOG_LEVEL: z.preprocess(
    (value) => (typeof value === 'string' ? value.trim().toUpperCase() || undefined : value),
    z.enum(LOG_LEVELS).optional(),
  ),
  LLM_JOBS_MAX_ACTIVITIES: count(MAX_ACTIVITIES),
  LLM_JOBS_MAX_MEMORY: z.preprocess(blankAsAbsent, sizeSchema.optional()),
  LLM_JOBS_CREATES_PER_HOUR: count(MAX_CREATES),
  LLM_JOBS_SHUTDOWN_GRACE: duration,
  LLM_JOBS_WEBHOOK_PORT: count(MAX_PORT, 0),
  LLM_JOBS_WEBHOOK_HOST: text,
  LLM_JOBS_METRICS_PORT: count(MAX_PORT),
  LLM_JOBS_METRICS_HOST: z.preprocess(blankAsAbsent, ipAddress.optional()),
  LLM_JOBS_TRACING: choice(TRACING),
});
export type Variables = z.output<typeof environmentSchema>;
export type VariableName = keyof Variables;

/**
 * What sets the same in the file. Where the file sets it, the variable is not read; `accounts` replaces all variables of
 * the account by the environment.
 */
export const FIELD_OF_VARIABLE: Readonly<Record<VariableName, string>> = {
  OPENAI_API_KEY: 'accounts',
  OPENAI_BASE_URL: 'accounts',
  OPENAI_ORG_ID: 'accounts',
  OPENAI_PROJECT_ID: 'accounts',
  OPENAI_WEBHOOK_SECRET: 'accounts',
  LLM_JOBS_TASK_QUEUE: 'taskQueue',
  LLM_JOBS_STORAGE: 'storage',
  LLM_JOBS_POLL_MIN: 'poll.min',
  LLM_JOBS_POLL_MAX: 'poll.max',
  LLM_JOBS_WATCH: 'watch.mode',
  LLM_JOBS_WATCH_NET: 'watch.net',
  LLM_JOBS_ON_ORPHAN: 'watch.onOrphan',
  LLM_JOBS_LOG_LEVEL: 'worker.logLevel',
  LLM_JOBS_MAX_ACTIVITIES: 'worker.maxActivities',
  LLM_JOBS_MAX_MEMORY: 'worker.maxMemory',
  LLM_JOBS_CREATES_PER_HOUR: 'accounts',
  LLM_JOBS_SHUTDOWN_GRACE: 'worker.shutdownGrace',
  LLM_JOBS_WEBHOOK_PORT: 'webhooks.port',
  LLM_JOBS_WEBHOOK_HOST: 'webhooks.host',
  LLM_JOBS_METRICS_PORT: 'metrics.port',
  LLM_JOBS_METRICS_HOST: 'metrics.host',
  LLM_JOBS_TRACING: 'worker.tracing',
};

export interface ReadEnvironment {
  readonly variables: Partial<Variables>;
  readonly faults: readonly ConfigFault[];
  /** Variables that are set and not read, since the file sets the same. */
  readonly overridden: readonly VariableName[];
}

/**
 * Reads the variables that the file leaves room for.
 *
 * @param file what the file contains, checked or not
 */
export function readEnvironment(environment: Environment, file: unknown): ReadEnvironment {
  const names = Object.keys(FIELD_OF_VARIABLE) as VariableName[];
  const isSet = (name: VariableName) => valueAt(file, FIELD_OF_VARIABLE[name].split('.')) !== undefined;
  const read = Object.fromEntries(names.filter((name) => !isSet(name)).map((name) => [name, environment[name]]));
  const { value, faults } = checkConfig(environmentSchema, read);
  // Variables of the account by the environment serve others, too, which is no reason to wonder about them.
  const overridden = names.filter(
    (name) => name.startsWith('LLM_JOBS_') && isSet(name) && Boolean(environment[name]?.trim()),
  );
  return { variables: value ?? {}, faults, overridden };
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Readonly<Record<string, unknown>>)[key] : undefined),
    value,
  );
}
