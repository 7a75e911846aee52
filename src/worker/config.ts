/** The configuration of the ready-made worker: environment variables, all of them checked before the worker starts. */
import { z } from 'zod';
import { BATCH_LIMITS } from '../contract/limits.js';
import { describeFaults, parseSpec } from '../contract/parse-spec.js';
import { toMs } from '../contract/duration.js';
import { durationSchema, WATCH_MODES, type WatchMode } from '../contract/spec-fields.js';
import { DEFAULT_TASK_QUEUE } from '../contract/task-queue.js';
import { storageRoots } from '../storage/roots.js';
import { checkedSecrets } from '../webhooks/verify-delivery.js';
import { availableMemory } from './memory.js';
import type { WebhookServerConfig } from './webhook-server.js';

const DEFAULT_MAX_ACTIVITIES = 100;
/**
 * Only this machine, where a proxy or a tunnel ends HTTPS: a server that everybody reaches is opened on purpose. A
 * container needs 0.0.0.0, since its own 127.0.0.1 is reached by nobody else.
 */
const DEFAULT_WEBHOOK_HOST = '127.0.0.1';

const blankAsAbsent = (value: unknown): unknown => (typeof value === 'string' ? value.trim() || undefined : value);
const text = z.preprocess(blankAsAbsent, z.string().optional());
const count = (byDefault: number, max: number) =>
  z.preprocess(blankAsAbsent, z.coerce.number().int().min(1).max(max).default(byDefault));
const choice = <const Value extends string>(values: readonly Value[]) =>
  z.preprocess(blankAsAbsent, z.enum(values).optional());
const duration = (byDefault: string) => z.preprocess(blankAsAbsent, durationSchema.default(byDefault));

const UNITS: Readonly<Record<string, number>> = { b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 };
/** A worker of less does not start. */
const MIN_MEMORY = 200 * 2 ** 20;
const size = z.preprocess(
  blankAsAbsent,
  z
    .string()
    .regex(/^\d+(\.\d+)? ?([kmg]i?)?b?$/i, { error: "must be a size such as '512MB' or '1GB'", abort: true })
    .transform(toBytes)
    .refine((bytes) => bytes >= MIN_MEMORY, 'must be at least 200MB')
    .optional(),
);

function toBytes(written: string): number {
  const unit = /[a-z]+$/i.exec(written)?.[0].toLowerCase().replace('i', '') ?? 'b';
  return Math.floor(Number.parseFloat(written) * (UNITS[unit.endsWith('b') ? unit : `${unit}b`] ?? 1));
}

const environmentSchema = z.object({
  OPENAI_API_KEY: z.preprocess(blankAsAbsent, z.string({ error: 'not set: the worker needs an API key' })),
  OPENAI_BASE_URL: z.preprocess(
    blankAsAbsent,
    z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  ),
  OPENAI_ORG_ID: text,
  OPENAI_PROJECT_ID: text,
  LLM_JOBS_TASK_QUEUE: z.preprocess(blankAsAbsent, z.string().default(DEFAULT_TASK_QUEUE)),
  LLM_JOBS_STORAGE: text,
  LLM_JOBS_POLL_MIN: duration('5s'),
  LLM_JOBS_POLL_MAX: duration('5m'),
  LLM_JOBS_WATCH: choice(WATCH_MODES),
  LLM_JOBS_WATCH_NET: duration('6h'),
  LLM_JOBS_ON_ORPHAN: choice(['leave', 'cancel']),
  LLM_JOBS_LOG_LEVEL: z.preprocess(
    (value) => (typeof value === 'string' ? value.trim().toUpperCase() || undefined : value),
    z.enum(['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR']).default('INFO'),
  ),
  LLM_JOBS_MAX_ACTIVITIES: count(DEFAULT_MAX_ACTIVITIES, 10_000),
  LLM_JOBS_MAX_MEMORY: size,
  LLM_JOBS_CREATES_PER_HOUR: count(BATCH_LIMITS.createsPerHour, 1_000_000),
  LLM_JOBS_SHUTDOWN_GRACE: duration('30s'),
  LLM_JOBS_WEBHOOK_PORT: z.preprocess(blankAsAbsent, z.coerce.number().int().min(0).max(65_535).optional()),
  LLM_JOBS_WEBHOOK_HOST: z.preprocess(blankAsAbsent, z.string().default(DEFAULT_WEBHOOK_HOST)),
  OPENAI_WEBHOOK_SECRET: text,
});
type Environment = z.output<typeof environmentSchema>;

export interface WorkerConfig {
  readonly apiKey: string;
  readonly baseURL: string | undefined;
  readonly organization: string | undefined;
  readonly project: string | undefined;
  readonly taskQueue: string;
  /** URIs of the storage roots. Results are written below the first unless a spec has an `outputUri`. */
  readonly storage: readonly string[];
  /** Bounds of the poll interval, in ms. */
  readonly poll: { readonly min: number; readonly max: number };
  /** How jobs are watched that are under way, as in the options of `createActivities`. */
  readonly watch: { readonly mode?: WatchMode; readonly net: number; readonly onOrphan?: 'leave' | 'cancel' };
  readonly logLevel: 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
  /** How many activities run concurrently at most. */
  readonly maxActivities: number;
  /** What the process may use, in bytes; it bounds the cache of runs. */
  readonly maxMemory: number;
  /** How many batches bulk batches create within an hour at most. */
  readonly createsPerHour: number;
  /** How long running activities may continue after SIGTERM, in ms. */
  readonly shutdownGraceMs: number;
  /** Where webhooks are taken; null: nowhere. */
  readonly webhooks: WebhookServerConfig | null;
}

/**
 * Reads the worker's configuration.
 *
 * @param environment the environment variables; unknown ones are ignored, blank ones count as absent
 * @param folder absolute path against which relative storage paths are resolved
 * @throws Error that names every variable that is missing or invalid, but never a value, which may be a secret
 */
export function readWorkerConfig(
  environment: Readonly<Record<string, string | undefined>>,
  folder: string,
): WorkerConfig {
  const { spec, report } = parseSpec(environmentSchema, environment);
  if (report) throw new Error(report.faults.map((fault) => describeFaults({ faults: [fault], total: 1 })).join('; '));
  const poll = { min: toMs(spec.LLM_JOBS_POLL_MIN), max: toMs(spec.LLM_JOBS_POLL_MAX) };
  if (poll.min > poll.max) throw new Error('LLM_JOBS_POLL_MIN must not be larger than LLM_JOBS_POLL_MAX');
  return {
    apiKey: spec.OPENAI_API_KEY,
    baseURL: spec.OPENAI_BASE_URL,
    organization: spec.OPENAI_ORG_ID,
    project: spec.OPENAI_PROJECT_ID,
    taskQueue: spec.LLM_JOBS_TASK_QUEUE,
    storage: storageRoots(spec.LLM_JOBS_STORAGE, folder),
    poll,
    watch: {
      ...(spec.LLM_JOBS_WATCH && { mode: spec.LLM_JOBS_WATCH }),
      net: toMs(spec.LLM_JOBS_WATCH_NET),
      ...(spec.LLM_JOBS_ON_ORPHAN && { onOrphan: spec.LLM_JOBS_ON_ORPHAN }),
    },
    logLevel: spec.LLM_JOBS_LOG_LEVEL,
    maxActivities: spec.LLM_JOBS_MAX_ACTIVITIES,
    maxMemory: spec.LLM_JOBS_MAX_MEMORY ?? availableMemory(),
    createsPerHour: spec.LLM_JOBS_CREATES_PER_HOUR,
    shutdownGraceMs: toMs(spec.LLM_JOBS_SHUTDOWN_GRACE),
    webhooks: webhookServer(spec),
  };
}

/** @throws Error that names the variable, if there is a port and no secret that can be used */
function webhookServer(spec: Environment): WebhookServerConfig | null {
  const { LLM_JOBS_WEBHOOK_PORT: port, LLM_JOBS_WEBHOOK_HOST: host, OPENAI_WEBHOOK_SECRET: secrets } = spec;
  if (port === undefined) return null;
  if (secrets === undefined) {
    throw new Error('OPENAI_WEBHOOK_SECRET: not set: webhooks on LLM_JOBS_WEBHOOK_PORT are verified with it');
  }
  try {
    return { port, host, secrets: checkedSecrets(webhookSecrets(secrets)) };
  } catch (error) {
    throw new Error(`OPENAI_WEBHOOK_SECRET: ${(error as Error).message}`, { cause: error });
  }
}

/** The secrets of a list that is separated by commas or blanks: two while one is rotated. */
export function webhookSecrets(list: string | undefined): string[] {
  return (list ?? '').split(/[\s,]+/).filter((secret) => secret !== '');
}
