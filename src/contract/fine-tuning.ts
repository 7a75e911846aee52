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
/** How a model is trained. */
export type FineTuningMethod = (typeof FINE_TUNING_METHODS)[number];

const methodFields = {
  /** How the model is trained. The field of the same name has the settings. */
  type: z.enum(FINE_TUNING_METHODS),
} as const;

/** The API's `method` object: `{ type, [type]: { hyperparameters, grader, … } }`. */
const methodSchema: z.ZodObject<typeof methodFields, z.core.$loose> = z
  .looseObject(methodFields)
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

const integrationFields = {
  /** Such as `wandb`. */
  type: z.string(),
} as const;
const integrationSchema: z.ZodObject<typeof integrationFields, z.core.$loose> = z.looseObject(integrationFields);

const cleanupFields = {
  /**
   * The training and validation files.
   * @default false
   */
  input: z.boolean().default(false),
} as const;
const cleanupSchema: z.ZodObject<typeof cleanupFields, z.core.$strict> = z.strictObject(cleanupFields);

const fineTuningSpecFields = {
  /** The model to train: a base model, such as `gpt-4.1-mini-2025-04-14`, or a fine-tuned model. */
  model: z.string().min(1, 'must not be empty').max(512),
  /** JSONL file of training examples, in storage or at the provider. */
  trainingFile: fileSchema,
  /**
   * JSONL file of examples for validation.
   * @default none
   */
  validationFile: fileSchema.optional(),
  /**
   * The API's `method` object. A reinforcement method needs a grader.
   *
   * @default supervised, with all hyperparameters `auto`
   * @example { type: 'supervised', supervised: { hyperparameters: { n_epochs: 3 } } }
   */
  method: methodSchema.optional(),
  /**
   * Part of the fine-tuned model's name, 1 to 64 characters.
   * @default none
   * @example 'reviews'
   */
  suffix: z
    .string()
    .min(suffixLength.min, 'must have at least 1 character')
    .max(suffixLength.max, `must have at most ${suffixLength.max} characters`)
    .optional(),
  /**
   * Controls the reproducibility of the job: 0 to 2147483647.
   * @default the provider's
   */
  seed: z.number().int().min(seed.min).max(seed.max).optional(),
  /**
   * The API's `integrations`, at most 5.
   * @default none
   */
  integrations: z.array(integrationSchema).max(integrations, `at most ${integrations} integrations`).optional(),
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
   * How many of the provider's `fineTuningSlots` must stay free for others: 0 to 100. The run creates its job when enough are
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
  cleanup: cleanupSchema.optional(),
} as const;

/** The spec of `runFineTuning`, its only argument. */
export const fineTuningSpecSchema: z.ZodObject<typeof commonSpecFields & typeof fineTuningSpecFields, z.core.$strict> =
  z.strictObject({ ...fineTuningSpecFields, ...commonSpecFields });
/** A spec as application code writes it. */
export type FineTuningSpec = z.input<typeof fineTuningSpecSchema>;
/** A spec after validation, with defaults filled in. */
export type ParsedFineTuningSpec = z.output<typeof fineTuningSpecSchema>;

const timestamp = z.number().nullable();

const checkpointFields = {
  /** Id of the checkpoint at the provider. */
  id: z.string(),
  /** Epoch seconds. */
  createdAt: timestamp,
  /** The model of the checkpoint, which requests can name. */
  model: z.string().nullable(),
  /** The training step after which it was made. */
  stepNumber: z.number().nullable(),
  /** Loss and accuracy, as the API names them. */
  metrics: z.record(z.string(), z.unknown()),
} as const;
const checkpointSchema: z.ZodObject<typeof checkpointFields> = z.object(checkpointFields);

const timestampFields = {
  /** When the provider created the job. */
  createdAt: timestamp,
  /** When the job ended. */
  finishedAt: timestamp,
} as const;
const timestampsSchema: z.ZodObject<typeof timestampFields> = z.object(timestampFields);

const resultMethodFields = {
  /** How the model was trained. */
  type: z.string(),
} as const;
const resultMethodSchema: z.ZodObject<typeof resultMethodFields, z.core.$loose> = z.looseObject(resultMethodFields);

const fineTuningResultFields = {
  /** How the job ended. One that ends `failed` fails its run as `FineTuningFailed`. */
  status: z.enum(['succeeded', 'cancelled']),
  /** Null if the run was cancelled before the job was created. */
  jobId: z.string().nullable(),
  /** The model to name in requests; null unless the job succeeded. */
  fineTunedModel: z.string().nullable(),
  /** What the provider bills; null if it reports none. */
  trainedTokens: z.number().nullable(),
  /** The hyperparameters as the provider set them. */
  hyperparameters: z.record(z.string(), z.unknown()).nullable(),
  /** The API's `method` object. */
  method: resultMethodSchema.nullable(),
  /** The models that the job kept on its way. */
  checkpoints: z.array(checkpointSchema),
  /** The metrics of each step, as CSV. */
  resultFiles: z.array(fileRefSchema),
  /** JSONL with every event of the job once, oldest first; null if there was no job. */
  events: fileRefSchema.nullable(),
  /** Epoch seconds; null if the provider reports none. */
  timestamps: timestampsSchema,
  /** Who cancelled the run; null if nobody did. */
  cancellation: cancellationSchema.nullable(),
  /** Sentences for people: unknown statuses, lost files. */
  warnings: z.array(z.string()),
} as const;

/** The result of `runFineTuning`. Times are epoch seconds. */
export const fineTuningResultSchema: z.ZodObject<typeof fineTuningResultFields> = z.object(fineTuningResultFields);
/** The result of `runFineTuning`. */
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
  /** Steps that are done. */
  readonly done: number;
  /** All steps; null where the events name none. */
  readonly total: number | null;
}
