/** The configuration of a worker: its file and the environment, checked before anything starts. */
import { dirname } from 'node:path';
import { toMs } from '../contract/duration.js';
import type { WatchMode } from '../contract/spec-fields.js';
import { DEFAULT_TASK_QUEUE } from '../contract/task-queue.js';
import { POLL } from '../contract/worker-options.js';
import { unmetNeed } from '../provider/needs.js';
import type { S3Options } from '../storage/s3/options.js';
import { S3Backend } from '../storage/s3/s3-backend.js';
import { Storage } from '../storage/storage.js';
import { storageRoots } from '../storage/roots.js';
import { accountSchema } from './account-schema.js';
import { resolveAccounts, type Account, type CheckedAccount } from './accounts.js';
import { FIELD_OF_VARIABLE, readEnvironment, type Variables } from './environment.js';
import { checkConfig, ConfigError, type ConfigFault } from './faults.js';
import { loadConfigFile, type Where } from './load-file.js';
import type { PriceTable } from './prices.js';
import { configSchema, DEFAULT_ACCOUNT, type CheckedConfig, type LOG_LEVELS, type TRACING } from './schema.js';
import type { SecretPlaces } from './secrets.js';

const DEFAULT_MAX_ACTIVITIES = 100;
/**
 * Only this machine, where a proxy or a tunnel ends HTTPS: a server that everybody reaches is opened on purpose. A
 * container needs 0.0.0.0, since its own 127.0.0.1 is reached by nobody else.
 */
const DEFAULT_HOST = '127.0.0.1';

export interface ListenAddress {
  readonly port: number;
  readonly host: string;
}

/** What workers and commands share. */
export interface CommonConfig {
  /** Path of the file; null where the environment is all. */
  readonly file: string | null;
  readonly taskQueue: string;
  /** URIs of the storage roots. Results are written below the first unless a spec has an `outputUri`. */
  readonly storage: readonly string[];
  readonly s3: S3Options;
  readonly prices: PriceTable;
}

export interface WorkerConfig extends CommonConfig {
  readonly accounts: readonly Account[];
  /** Bounds of the poll interval, in ms. */
  readonly poll: { readonly min: number; readonly max: number };
  /** How jobs are watched that are under way, as in the options of `createActivities`. */
  readonly watch: { readonly mode?: WatchMode; readonly net: number; readonly onOrphan?: 'leave' | 'cancel' };
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** How many activities run concurrently at most. */
  readonly maxActivities: number;
  /** What the process may use, in bytes; it bounds the cache of runs. Null: what is available. */
  readonly maxMemory: number | null;
  /** How long running activities may continue after SIGTERM, in ms. */
  readonly shutdownGraceMs: number;
  /** Where webhooks are taken; null: nowhere. */
  readonly webhooks: ListenAddress | null;
  /** Where the metrics are scraped; null: nowhere. */
  readonly metrics: ListenAddress | null;
  /** How spans are exported; null: there are none. */
  readonly tracing: (typeof TRACING)[number] | null;
  /** URL of the proxy, false for none; undefined: that of the environment. */
  readonly proxy: string | false | undefined;
  /** What may surprise, a sentence each. */
  readonly notes: readonly string[];
}

interface Read {
  readonly path: string | null;
  /** Folder against which paths of the file are resolved. */
  readonly folder: string;
  readonly file: CheckedConfig;
  readonly variables: Partial<Variables>;
  readonly faults: readonly ConfigFault[];
  readonly notes: readonly string[];
}

async function read(where: Where): Promise<Read> {
  const loaded = await loadConfigFile(where);
  const checked = loaded ? checkConfig(configSchema, loaded.content) : { value: {}, faults: [] };
  const { variables, faults, overridden } = readEnvironment(where.environment, loaded?.content);
  return {
    path: loaded?.path ?? null,
    folder: loaded ? dirname(loaded.path) : where.folder,
    file: checked.value ?? { accounts: readableAccounts(loaded?.content) },
    variables,
    faults: [...checked.faults, ...faults],
    notes: overridden.map((name) => `${name} is not read: the file sets ${FIELD_OF_VARIABLE[name]}`),
  };
}

/** The accounts of a file with faults that have none themselves, so that what they lack is told as well. */
function readableAccounts(content: unknown): CheckedConfig['accounts'] {
  const { accounts } = { ...(content as Readonly<Record<string, unknown>> | null) };
  if (accounts === undefined) return undefined;
  const readable: Record<string, CheckedAccount> = {};
  for (const [name, account] of Object.entries({ ...(accounts as object) })) {
    const { value } = checkConfig(accountSchema, account);
    if (value) readable[name] = value;
  }
  return readable;
}

/**
 * Reads the configuration of a worker. What the file sets comes first, then the environment, then the defaults.
 *
 * @throws ConfigError with every fault, by its field or variable, but never with a value, which may be a secret
 */
export async function readWorkerConfig(where: Where): Promise<WorkerConfig> {
  const reading = await read(where);
  const { file, variables } = reading;
  const { accounts, faults } = await resolveAccounts(file.accounts, variables, placesOf(reading, where));
  const poll = {
    min: toMs(file.poll?.min ?? variables.LLM_JOBS_POLL_MIN ?? POLL.min),
    max: toMs(file.poll?.max ?? variables.LLM_JOBS_POLL_MAX ?? POLL.max),
  };
  const webhooks = serverAt(file.webhooks, variables, 'WEBHOOK');
  const single = [...reading.faults, ...faults];
  const together = single.length > 0 ? [] : [...pollFaults(poll), ...webhookFaults(webhooks, accounts, file)];
  if (single.length + together.length > 0) throw new ConfigError(reading.path, [...single, ...together]);
  const { mode = variables.LLM_JOBS_WATCH, onOrphan = variables.LLM_JOBS_ON_ORPHAN } = file.watch ?? {};
  return {
    ...commonOf(reading, where),
    accounts,
    poll,
    watch: {
      ...(mode && { mode }),
      net: toMs(file.watch?.net ?? variables.LLM_JOBS_WATCH_NET ?? '6h'),
      ...(onOrphan && { onOrphan }),
    },
    logLevel: file.worker?.logLevel ?? variables.LLM_JOBS_LOG_LEVEL ?? 'INFO',
    maxActivities: file.worker?.maxActivities ?? variables.LLM_JOBS_MAX_ACTIVITIES ?? DEFAULT_MAX_ACTIVITIES,
    maxMemory: file.worker?.maxMemory ?? variables.LLM_JOBS_MAX_MEMORY ?? null,
    shutdownGraceMs: toMs(file.worker?.shutdownGrace ?? variables.LLM_JOBS_SHUTDOWN_GRACE ?? '30s'),
    webhooks,
    metrics: serverAt(file.metrics, variables, 'METRICS'),
    tracing: file.worker?.tracing ?? variables.LLM_JOBS_TRACING ?? null,
    proxy: file.proxy,
    notes: [...reading.notes, ...accounts.flatMap(noteOf)],
  };
}

/** Batches are what most accounts are for: that they cannot be had is told before a run asks for one. */
function noteOf({ name, traits }: Account): string[] {
  const unmet = unmetNeed(traits.unsupported ?? {}, ['batches', 'uploads']);
  return unmet === null ? [] : [`accounts.${name} ${unmet}`];
}

const placesOf = ({ folder }: Read, { environment }: Where): SecretPlaces => ({ environment, folder });

/** The bounds may come from both. */
function pollFaults({ min, max }: WorkerConfig['poll']): ConfigFault[] {
  const [low, high] = ['LLM_JOBS_POLL_MIN', 'LLM_JOBS_POLL_MAX'];
  return min > max ? [{ field: low, message: `must not be larger than ${high}` }] : [];
}

/** Where a server listens; null where nothing names a port. */
function serverAt(
  file: CheckedConfig['webhooks' | 'metrics'],
  variables: Partial<Variables>,
  name: 'WEBHOOK' | 'METRICS',
): ListenAddress | null {
  const port = file?.port ?? variables[`LLM_JOBS_${name}_PORT`];
  return port === undefined ? null : { port, host: file?.host ?? variables[`LLM_JOBS_${name}_HOST`] ?? DEFAULT_HOST };
}

function webhookFaults(
  webhooks: WorkerConfig['webhooks'],
  accounts: readonly Account[],
  file: CheckedConfig,
): ConfigFault[] {
  if (webhooks === null || accounts.some(({ webhookSecrets }) => webhookSecrets.length > 0)) return [];
  return file.accounts
    ? [
        {
          field: 'accounts',
          message: 'no account has webhookSecrets: the webhooks at webhooks.port are verified with them',
        },
      ]
    : [{ field: 'OPENAI_WEBHOOK_SECRET', message: 'not set: webhooks on LLM_JOBS_WEBHOOK_PORT are verified with it' }];
}

function commonOf({ path, folder, file, variables }: Read, where: Where): CommonConfig {
  const { forcePathStyle, endpoint, region } = file.s3 ?? {};
  const roots = file.storage === undefined ? undefined : [file.storage].flat();
  return {
    file: path,
    taskQueue: file.taskQueue ?? variables.LLM_JOBS_TASK_QUEUE ?? DEFAULT_TASK_QUEUE,
    storage: roots
      ? roots.flatMap((root) => storageRoots(root, folder))
      : storageRoots(variables.LLM_JOBS_STORAGE, where.folder),
    s3: {
      ...(endpoint !== undefined && { endpoint }),
      ...(region !== undefined && { region }),
      ...(forcePathStyle !== undefined && { forcePathStyle }),
    },
    prices: file.prices ?? {},
  };
}

/**
 * Reads what commands need of the configuration that ask no provider. Neither keys nor the worker's own variables are
 * looked at.
 *
 * @throws ConfigError
 */
export async function readCommonConfig(where: Where): Promise<CommonConfig> {
  const { LLM_JOBS_TASK_QUEUE, LLM_JOBS_STORAGE, LLM_JOBS_CONFIG } = where.environment;
  const environment = { LLM_JOBS_TASK_QUEUE, LLM_JOBS_STORAGE, LLM_JOBS_CONFIG };
  const reading = await read({ ...where, environment });
  if (reading.faults.length > 0) throw new ConfigError(reading.path, reading.faults);
  return commonOf(reading, where);
}

/**
 * The accounts alone, for commands that ask the provider.
 *
 * @param name the account that is needed; undefined: all of them
 * @throws ConfigError
 */
export async function readAccounts(
  where: Where,
  name?: string,
): Promise<{ readonly accounts: readonly Account[]; readonly proxy: string | false | undefined }> {
  const reading = await read(where);
  const { file, variables, path } = reading;
  const named = file.accounts ?? {};
  if (
    reading.faults.length === 0 &&
    name !== undefined &&
    !Object.hasOwn(file.accounts ?? { [DEFAULT_ACCOUNT]: 0 }, name)
  ) {
    const known = Object.keys(file.accounts ?? { [DEFAULT_ACCOUNT]: 0 });
    throw new ConfigError(path, [
      { field: 'accounts', message: `there is no account ${JSON.stringify(name)}: ${known.join(', ')}` },
    ]);
  }
  const wanted = file.accounts && (name === undefined ? named : { [name]: named[name]! });
  const { accounts, faults } = await resolveAccounts(wanted, variables, placesOf(reading, where));
  if (reading.faults.length + faults.length > 0) throw new ConfigError(path, [...reading.faults, ...faults]);
  return { accounts, proxy: file.proxy };
}

/** The storage of the configuration. */
export function storageOf({ storage: roots, s3 }: CommonConfig): Storage {
  const isS3 = roots.some((root) => /^s3:/i.test(root));
  return new Storage({ roots, ...(isS3 && { backends: [new S3Backend(s3)] }) });
}

/** The times of the configuration as the options of the activities have them. */
export const withUnits = ({ poll, watch }: Pick<WorkerConfig, 'poll' | 'watch'>) => ({
  poll: { min: `${poll.min}ms`, max: `${poll.max}ms` },
  watch: { ...watch, net: `${watch.net}ms` },
});
