/** What is wrong with the options of the activities: every fault at once, each with its path, none with a value. */
import { z } from 'zod';
import { didYouMean } from '../contract/did-you-mean.js';
import type { InputFault } from '../contract/input-fault.js';
import { isObject } from '../contract/is-object.js';
import { parseSpec } from '../contract/parse-spec.js';
import { bounded } from '../contract/text.js';
import { pollSchema, providerNameSchema, watchSchema } from '../contract/worker-options.js';
import { redact } from '../provider/redact.js';
import { batchLimitsSchema, traitsSchema } from '../provider/traits-schema.js';
import { Storage } from '../storage/storage.js';
import { StorageError } from '../storage/storage-error.js';
import { parseUri } from '../storage/uri.js';

/** Options of `LlmJobsPlugin` or `createActivities` that cannot be used. */
export class InvalidOptionsError extends Error {
  override readonly name = 'InvalidOptionsError';
  /** What is wrong, field by field: `field` is a path such as `providers.default.client`. */
  readonly faults: readonly InputFault[];

  constructor(faults: readonly InputFault[]) {
    const lines = faults.map(({ field, message }) => (field === undefined ? message : `${field}: ${message}`));
    const [only = ''] = lines;
    super(
      lines.length === 1
        ? only
        : `${lines.length} faults in the options:${lines.map((line) => `\n  ${line}`).join('')}`,
    );
    this.faults = faults;
  }
}

/** What is called of a client whatever the job is. A client of another package, or of another API, lacks one of them. */
const CLIENT_METHODS = ['batches.create', 'files.content', 'fineTuning.jobs.create', 'get', 'post', 'withOptions'];
/** What a storage has, whichever copy of the package its class is from. */
const STORAGE_METHODS = ['resolve', 'stat', 'read', 'write', 'list', 'deleteFolder'];

function memberOf(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((within, name) => (within as Record<string, unknown> | null)?.[name], value);
}

const missingOf = (value: unknown, methods: readonly string[]): string | undefined =>
  methods.find((path) => typeof memberOf(value, path) !== 'function');

const clientSchema = z.unknown().superRefine((client, faults) => {
  const missing = missingOf(client ?? undefined, CLIENT_METHODS);
  if (missing === undefined) return;
  const example = 'such as `new OpenAI()`';
  const message =
    client === undefined || client === null
      ? `not set: a client of the package openai, ${example}`
      : `must be a client of the package openai, ${example}: it has no ${missing}()`;
  faults.addIssue({ code: 'custom', message });
});

const providerSchema = traitsSchema.extend({
  client: clientSchema,
  batchLimits: batchLimitsSchema.optional(),
  secrets: z
    .custom<() => readonly string[]>((value) => typeof value === 'function', 'must be a function that returns texts')
    .optional(),
});

const ROOTS = "must be a list of file:// or s3:// URIs such as ['file:///data/'], or a Storage";

/**
 * A storage of another copy of the package would work until its first error: which failures are retried is told by the
 * class `StorageError`, and that copy has its own.
 */
const OTHER_COPY =
  'is a Storage of another copy of temporal-llm-jobs: make it with the class of the copy that has this worker ' +
  '(`npm ls temporal-llm-jobs` shows them), or pass its roots';

const storageSchema = z.unknown().superRefine((storage, faults) => {
  if (storage instanceof Storage) return;
  const refuse = (message: string, ...path: number[]): void => faults.addIssue({ code: 'custom', message, path });
  if (!Array.isArray(storage)) {
    const isForeign = typeof storage === 'object' && storage !== null && !missingOf(storage, STORAGE_METHODS);
    return refuse(isForeign ? OTHER_COPY : storage === undefined ? `not set: it ${ROOTS}` : ROOTS);
  }
  if (storage.length === 0) return refuse('must name one root at least');
  const wrong = storage.map((root: unknown) => (typeof root === 'string' ? whyUnusable(root) : 'must be a URI'));
  wrong.forEach((reason, index) => reason !== null && refuse(reason, index));
});

/** Why a root cannot be used; null: it can. */
function whyUnusable(root: string): string | null {
  try {
    const { scheme } = parseUri(root);
    return scheme === 'file' || scheme === 's3'
      ? null
      : `has the scheme ${bounded(scheme)}:, which needs a Storage with a backend for it`;
  } catch (error) {
    if (error instanceof StorageError) return error.message;
    throw error;
  }
}

const optionsSchema = z.strictObject({
  providers: z
    .record(providerNameSchema, providerSchema, { error: 'must be an object with the providers by name' })
    .refine((providers) => Object.keys(providers).length > 0, 'must name one provider at least'),
  storage: storageSchema,
  poll: pollSchema.optional(),
  watch: watchSchema.optional(),
});

/** The options without fields that resemble none of ours, whose paths are added to `ignored`. */
function withoutOthersFields(options: unknown, ignored: string[]): unknown {
  const kept = keepOwn(options, Object.keys(optionsSchema.shape), '', ignored);
  const { providers } = (kept ?? {}) as { readonly providers?: unknown };
  if (!isObject(kept) || !isObject(providers)) return kept;
  const known = Object.keys(providerSchema.shape);
  const entries = Object.entries(providers).map(([name, given]) => [
    name,
    keepOwn(given, known, `providers.${name}.`, ignored),
  ]);
  return { ...kept, providers: Object.fromEntries(entries) as unknown };
}

function keepOwn(given: unknown, known: readonly string[], path: string, ignored: string[]): unknown {
  if (!isObject(given)) return given;
  const others = Object.keys(given).filter((name) => !known.includes(name) && didYouMean(name, known) === undefined);
  ignored.push(...others.map((name) => `${path}${bounded(name, 100)}`));
  return Object.fromEntries(Object.entries(given).filter(([name]) => !others.includes(name)));
}

/**
 * A misspelt field is a fault. A field that resembles none is ignored with a warning of the process: an application may
 * pass the object that holds all of its settings.
 *
 * @throws InvalidOptionsError with every fault
 */
export function checkOptions(options: unknown): void {
  const ignored: string[] = [];
  const { report } = parseSpec(optionsSchema, withoutOthersFields(options, ignored), Infinity);
  if (!report) {
    for (const field of ignored) process.emitWarning(`${redact(field, [])} is ignored: no option of temporal-llm-jobs`);
    return;
  }
  // A key might be pasted where a name belongs.
  throw new InvalidOptionsError(
    report.faults.map(({ field, message }) => ({
      ...(field !== undefined && { field: redact(field, []) }),
      message: redact(message, []),
    })),
  );
}
