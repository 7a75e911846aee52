/** The contract of `runFineTuning`: its spec, its result, its progress. */
import * as z from 'zod';
import { fileRefSchema } from './file-ref.js';
import { FINE_TUNING_LIMITS } from './limits.js';
import { cancellationSchema, type CommonProgress } from './progress.js';
import { commonSpecFields, durationSchema, extraBodySchema, idSchema, uriSchema } from './spec-fields.js';

const fileSchema = z.union([z.strictObject({ fileId: idSchema }), z.strictObject({ uri: uriSchema })], {
  error: 'must be { fileId }, or { uri } with a file:// or s3:// URI',
});

export const FINE_TUNING_METHODS = ['supervised', 'dpo', 'reinforcement'] as const;
export type FineTuningMethod = (typeof FINE_TUNING_METHODS)[number];

/** The API's `method` object: `{ type, [type]: { hyperparameters, grader, … } }`. */
const methodSchema = z
  .looseObject({ type: z.enum(FINE_TUNING_METHODS) })
  .refine((method) => method.type !== 'reinforcement' || hasGrader(method.reinforcement), {
    path: ['reinforcement', 'grader'],
    message: 'a reinforcement method needs a grader',
  });

function hasGrader(settings: unknown): boolean {
  return typeof settings === 'object' && settings !== null && 'grader' in settings && Boolean(settings.grader);
}

/** The fields of the create request that the library sets. */
const CREATE_FIELDS = [
  'model',
  'training_file',
  'validation_file',
  'method',
  'suffix',
  'seed',
  'integrations',
  'metadata',
] as const;

const { suffixLength, seed, integrations } = FINE_TUNING_LIMITS;

/** The spec of `runFineTuning`, its only argument. */
export const fineTuningSpecSchema = z.strictObject({
  /** The model to train: a base model, such as `gpt-4.1-mini-2025-04-14`, or a fine-tuned model. */
  model: z.string().min(1, 'must not be empty').max(512),
  /** JSONL file of training examples, in storage or at the provider. */
  trainingFile: fileSchema,
  /** JSONL file of examples for validation. */
  validationFile: fileSchema.optional(),
  /**
   * The API's `method` object.
   *
   * @default supervised, with all hyperparameters `auto`
   */
  method: methodSchema.optional(),
  /** Part of the fine-tuned model's name, 1 to 64 characters. */
  suffix: z
    .string()
    .min(suffixLength.min, 'must have at least 1 character')
    .max(suffixLength.max, `must have at most ${suffixLength.max} characters`)
    .optional(),
  /** Controls the reproducibility of the job. */
  seed: z.number().int().min(seed.min).max(seed.max).optional(),
  /** The API's `integrations`, at most 5. */
  integrations: z
    .array(z.looseObject({ type: z.string() }))
    .max(integrations, `at most ${integrations} integrations`)
    .optional(),
  ...commonSpecFields,
  /**
   * Further fields of the create request, for providers that need them.
   *
   * @default none
   */
  extraBody: extraBodySchema(CREATE_FIELDS).optional(),
  /**
   * Whether to check every example before the upload. Without it, only the provider checks them.
   *
   * @default true
   */
  check: z.boolean().default(true),
  /**
   * How long after a cancel the job may take to reach a terminal status. Then the run fails with `JobStuck`.
   *
   * @default '2h'
   */
  stuckAfter: durationSchema.default('2h'),
  /**
   * How many of the provider's `fineTuningSlots` must stay free for others. The run creates its job when enough are
   * free.
   *
   * @default 0
   */
  leaveFreeSlots: z.number().int().min(0).max(100).default(0),
  /**
   * Whether to delete the files that this run uploaded when it ends, whatever its outcome.
   *
   * @default { input: false }
   */
  cleanup: z.strictObject({ input: z.boolean().default(false) }).optional(),
});
/** A spec as application code writes it. */
export type FineTuningSpec = z.input<typeof fineTuningSpecSchema>;
/** A spec after validation, with defaults filled in. */
export type ParsedFineTuningSpec = z.output<typeof fineTuningSpecSchema>;

const timestamp = z.number().nullable();

/** The result of `runFineTuning`. Times are epoch seconds. */
export const fineTuningResultSchema = z.object({
  status: z.enum(['succeeded', 'cancelled']),
  /** Null if the run was cancelled before the job was created. */
  jobId: z.string().nullable(),
  fineTunedModel: z.string().nullable(),
  trainedTokens: z.number().nullable(),
  hyperparameters: z.record(z.string(), z.unknown()).nullable(),
  method: z.looseObject({ type: z.string() }).nullable(),
  checkpoints: z.array(
    z.object({
      id: z.string(),
      createdAt: timestamp,
      model: z.string().nullable(),
      stepNumber: z.number().nullable(),
      metrics: z.record(z.string(), z.unknown()),
    }),
  ),
  resultFiles: z.array(fileRefSchema),
  /** JSONL with every event of the job once, oldest first; null if there was no job. */
  events: fileRefSchema.nullable(),
  timestamps: z.object({ createdAt: timestamp, finishedAt: timestamp }),
  cancellation: cancellationSchema.nullable(),
  warnings: z.array(z.string()),
});
export type FineTuningResult = z.infer<typeof fineTuningResultSchema>;

/** The answer of the query `progress` of `runFineTuning`. */
export interface FineTuningProgress extends CommonProgress {
  /** Training steps as the job's events last reported them; null before training starts. */
  readonly steps: TrainingSteps | null;
  /** Epoch seconds; null if the provider reports none. */
  readonly estimatedFinish: number | null;
}

/** How far training is, from "Step n/N" in the job's events. */
export interface TrainingSteps {
  readonly done: number;
  readonly total: number | null;
}
