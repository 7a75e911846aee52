/** The configuration of the ready-made worker: environment variables, each checked before anything is started. */
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { describeFaults, parseSpec } from '../contract/parse-spec.js';
import { durationSchema, toMs } from '../contract/spec-fields.js';

export const DEFAULT_TASK_QUEUE = 'llm-jobs';
/** Where results land when nothing else is said: below the folder that the worker was started in. */
const DEFAULT_STORAGE = '.llm-jobs/';

const blankAsAbsent = (value: unknown): unknown => (typeof value === 'string' ? value.trim() || undefined : value);
const text = z.preprocess(blankAsAbsent, z.string().optional());
const count = z.preprocess(blankAsAbsent, z.coerce.number().int().min(1).max(10_000).optional());

const environmentSchema = z.object({
  OPENAI_API_KEY: z.preprocess(blankAsAbsent, z.string({ error: 'is not set: the worker needs the key of the API' })),
  OPENAI_BASE_URL: z.preprocess(
    blankAsAbsent,
    z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  ),
  OPENAI_ORG_ID: text,
  OPENAI_PROJECT_ID: text,
  LLM_JOBS_TASK_QUEUE: z.preprocess(blankAsAbsent, z.string().default(DEFAULT_TASK_QUEUE)),
  LLM_JOBS_STORAGE: text,
  LLM_JOBS_POLL_MIN: z.preprocess(blankAsAbsent, durationSchema.default('5s')),
  LLM_JOBS_POLL_MAX: z.preprocess(blankAsAbsent, durationSchema.default('5m')),
  LLM_JOBS_LOG_LEVEL: z.preprocess(
    (value) => (typeof value === 'string' ? value.trim().toUpperCase() || undefined : value),
    z.enum(['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR']).default('INFO'),
  ),
  LLM_JOBS_MAX_ACTIVITIES: count,
  LLM_JOBS_SHUTDOWN_GRACE: z.preprocess(blankAsAbsent, durationSchema.default('30s')),
});

export interface WorkerConfig {
  readonly apiKey: string;
  readonly baseURL: string | undefined;
  readonly organization: string | undefined;
  readonly project: string | undefined;
  readonly taskQueue: string;
  /** URIs of the allowed roots; results land in the first by default. */
  readonly storage: string[];
  readonly poll: { readonly min: number; readonly max: number };
  readonly logLevel: 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
  readonly maxActivities: number;
  /** How long running activities may go on after SIGTERM, in ms. */
  readonly shutdownGraceMs: number;
}

/**
 * Reads the worker's configuration.
 *
 * @throws Error that names every variable that is missing or wrong; never with a value, which may be a secret
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
    logLevel: spec.LLM_JOBS_LOG_LEVEL,
    maxActivities: spec.LLM_JOBS_MAX_ACTIVITIES ?? 100,
    shutdownGraceMs: toMs(spec.LLM_JOBS_SHUTDOWN_GRACE),
  };
}

/** URIs separated by commas; a path counts as one below the folder. */
function storageRoots(roots: string | undefined, folder: string): string[] {
  const named = (roots ?? '').split(',').flatMap((root) => root.trim() || []);
  return (named.length > 0 ? named : [DEFAULT_STORAGE]).map((root) =>
    /^[a-z][a-z0-9+.-]*:\//i.test(root) ? root : pathToFileURL(isAbsolute(root) ? root : `${folder}/${root}`).href,
  );
}
