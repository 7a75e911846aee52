/** The contract of `runFineTuning`: its argument, its result, its progress. */
import { z } from 'zod';
import { fileRefSchema } from './file-ref.js';
import { FINE_TUNING_LIMITS } from './limits.js';
import { cancellationSchema, type CommonProgress } from './progress.js';
import { commonSpecFields, durationSchema, idSchema, uriSchema } from './spec-fields.js';

const fileSchema = z.union([z.strictObject({ fileId: idSchema }), z.strictObject({ uri: uriSchema })], {
  error: 'must be { fileId }, or { uri } with a file:// or s3:// URI',
});

export const FINE_TUNING_METHODS = ['supervised', 'dpo', 'reinforcement'] as const;
export type FineTuningMethod = (typeof FINE_TUNING_METHODS)[number];

/** The API's own object: `{ type, [type]: { hyperparameters, grader, … } }`. */
const methodSchema = z
  .looseObject({ type: z.enum(FINE_TUNING_METHODS) })
  .refine((method) => method.type !== 'reinforcement' || hasGrader(method.reinforcement), {
    path: ['reinforcement', 'grader'],
    message: 'a reinforcement method needs a grader',
  });

function hasGrader(settings: unknown): boolean {
  return typeof settings === 'object' && settings !== null && 'grader' in settings && Boolean(settings.grader);
}

const { suffixLength, seed, integrations } = FINE_TUNING_LIMITS;

/** Argument of `runFineTuning`. */
export const fineTuningSpecSchema = z.strictObject({
  /** The base model, such as `gpt-4o-mini-2024-07-18`, or a fine-tuned one. */
  model: z.string().min(1, 'must not be empty').max(512),
  /** Examples as JSONL: a file at the provider or in storage. */
  trainingFile: fileSchema,
  validationFile: fileSchema.optional(),
  /** Default: supervised, hyperparameters `auto`. */
  method: methodSchema.optional(),
  /** Part of the new model's name, 1 to 64 characters. */
  suffix: z
    .string()
    .min(suffixLength.min, 'must have at least 1 character')
    .max(suffixLength.max, `must have at most ${suffixLength.max} characters`)
    .optional(),
  seed: z.number().int().min(seed.min).max(seed.max).optional(),
  integrations: z
    .array(z.looseObject({ type: z.string() }))
    .max(integrations, `at most ${integrations} integrations`)
    .optional(),
  ...commonSpecFields,
  /** How long a job may take to reach an end after a cancel before the run fails with `JobStuck`. Default `'2h'`. */
  stuckAfter: durationSchema.default('2h'),
  /** Slots of the provider (see its `fineTuningSlots`) that this run must leave free for others: it waits with its create. Default 0. */
  leaveFreeSlots: z.number().int().min(0).max(100).default(0),
  /** Delete the files that this run uploaded when it ends, however it ends. */
  cleanup: z.strictObject({ input: z.boolean().default(false) }).optional(),
});
export type FineTuningSpec = z.input<typeof fineTuningSpecSchema>;
export type ParsedFineTuningSpec = z.output<typeof fineTuningSpecSchema>;

const timestamp = z.number().nullable();

/** Result of `runFineTuning`. Times are epoch seconds. */
export const fineTuningResultSchema = z.object({
  status: z.enum(['succeeded', 'cancelled']),
  /** Null when the run was cancelled before the job was created. */
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
  /** Every event of the job as JSONL, oldest first, each once; null when there was no job. */
  events: fileRefSchema.nullable(),
  timestamps: z.object({ createdAt: timestamp, finishedAt: timestamp }),
  cancellation: cancellationSchema.nullable(),
  warnings: z.array(z.string()),
});
export type FineTuningResult = z.infer<typeof fineTuningResultSchema>;

/** Answer of the `progress` query of `runFineTuning`. */
export interface FineTuningProgress extends CommonProgress {
  /** Training steps as the job's events last told; null before training starts. */
  readonly steps: TrainingSteps | null;
  /** Epoch seconds. */
  readonly estimatedFinish: number | null;
}

/** How far training is: "Step n/N" of the events. */
export interface TrainingSteps {
  readonly done: number;
  readonly total: number | null;
}
