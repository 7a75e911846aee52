/** The configuration of workers and commands, as `llm-jobs.config.*` contains it. */
import { z } from 'zod';
import { durationSchema } from '../contract/spec-fields.js';
import { pollSchema, providerNameSchema, watchSchema } from '../contract/worker-options.js';
import { accountSchema, httpUrl } from './account-schema.js';
import { priceTableSchema } from './prices.js';
import { rule } from './rule.js';
import { sizeSchema } from './size.js';

const text = z.string().trim().min(1, 'must not be empty');
export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'] as const;
/** How spans are exported. */
export const TRACING = ['otlp'] as const;
/** The account of specs that name no `provider`. */
export const DEFAULT_ACCOUNT = 'default';
export const MAX_ACTIVITIES = 10_000;
export const MAX_PORT = 65_535;

/** A server that is bound to a name would have to look it up. */
export const ipAddress = z.union([z.ipv4(), z.ipv6()], { error: "must be an IP address such as '0.0.0.0'" });

const s3Fields = {
  /** URL of an S3-compatible service. */
  endpoint: httpUrl.optional(),
  /** Region of the bucket. */
  region: text.optional(),
  /** Whether the bucket is in the path of URLs, not in the host name. */
  forcePathStyle: z.boolean().optional(),
} as const;
const s3Schema: z.ZodObject<typeof s3Fields, z.core.$strict> = z.strictObject(s3Fields);

const webhooksFields = {
  /** 0: any free port. */
  port: z.int().min(0).max(MAX_PORT),
  /**
   * Where it listens.
   * @default '127.0.0.1'
   */
  host: text.optional(),
} as const;
const webhooksSchema: z.ZodObject<typeof webhooksFields, z.core.$strict> = z.strictObject(webhooksFields);

const metricsFields = {
  /** Where it listens. */
  port: z.int().min(1).max(MAX_PORT),
  /**
   * An IP address.
   * @default '127.0.0.1'
   */
  host: ipAddress.optional(),
} as const;
const metricsSchema: z.ZodObject<typeof metricsFields, z.core.$strict> = z.strictObject(metricsFields);

const processFields = {
  /**
   * The least important lines that are logged, as JSON on stderr.
   * @default 'INFO'
   */
  logLevel: z.enum(LOG_LEVELS).optional(),
  /**
   * Activities that run at the same time.
   * @default 100
   */
  maxActivities: z.int().min(1).max(MAX_ACTIVITIES).optional(),
  /**
   * What the process may use, such as '512MB'.
   * @default what the container allows
   */
  maxMemory: sizeSchema.optional(),
  /**
   * How long activities may continue after SIGTERM.
   * @default '30s'
   */
  shutdownGrace: durationSchema.optional(),
  /**
   * `otlp`: spans are sent to a collector of OpenTelemetry, as the variables `OTEL_*` say. Needs the packages that
   * docs/how-to/observability.md names.
   * @default no tracing
   */
  tracing: z.enum(TRACING).optional(),
} as const;
const processSchema: z.ZodObject<typeof processFields, z.core.$strict> = z.strictObject(processFields);

const configFields = {
  /**
   * The accounts by the names that specs give as `provider`. One of them is named `default`.
   * @default one account `default`, by the variables `OPENAI_API_KEY`, `OPENAI_BASE_URL`, …
   */
  accounts: z
    .record(providerNameSchema, accountSchema)
    .refine(
      ...rule(null, `one account must be named '${DEFAULT_ACCOUNT}': specs without a provider use it`, (accounts) =>
        Object.hasOwn(accounts, DEFAULT_ACCOUNT),
      ),
    )
    .optional(),
  /**
   * Task queue of worker and commands.
   * @default 'llm-jobs'
   */
  taskQueue: text.optional(),
  /**
   * The storage roots, as `file://` or `s3://` URIs or paths, which are relative to the folder of this file. Results are
   * written below the first.
   * @default '.llm-jobs/' in the working folder
   */
  storage: z
    .union([text, z.array(text).min(1, 'must name one root at least')], {
      error: 'must be a URI or a path, or a list of them',
    })
    .optional(),
  /** How `s3://` roots are reached. What is left out is read from where the AWS SDKs look. */
  s3: s3Schema.optional(),
  /** Bounds of the poll interval. */
  poll: pollSchema.optional(),
  /** How jobs are watched that are under way. */
  watch: watchSchema.optional(),
  /** Where webhooks are taken: those of `default` at `/webhooks`, of others at `/webhooks/<account>`. */
  webhooks: webhooksSchema.optional(),
  /** Where Prometheus scrapes the metrics of the worker, at `/metrics`. */
  metrics: metricsSchema.optional(),
  /** The process of the worker. */
  worker: processSchema.optional(),
  /**
   * The proxy of requests to providers, or false for none.
   * @default HTTPS_PROXY and HTTP_PROXY, except for the hosts of NO_PROXY
   */
  proxy: z
    .union([z.literal(false), httpUrl], { error: "must be an http(s) URL such as 'http://proxy:3128', or false" })
    .refine((proxy) => proxy === false || !hasCredentials(proxy), {
      error: 'must not contain a password: set HTTPS_PROXY instead',
    })
    .optional(),
  /** What models cost, for the estimate of `llm-jobs check`. */
  prices: priceTableSchema.optional(),
} as const;

export const configSchema: z.ZodObject<typeof configFields, z.core.$strict> = z.strictObject(configFields);

function hasCredentials(url: string): boolean {
  const { username, password } = new URL(url);
  return username !== '' || password !== '';
}

/** The configuration of workers and commands. */
export type LlmJobsConfig = z.input<typeof configSchema>;
/** What was read of it, checked. */
export type CheckedConfig = z.output<typeof configSchema>;
