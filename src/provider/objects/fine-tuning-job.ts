import { z } from 'zod';
import { safeParse } from '../../contract/safe-parse.js';
import type { FineTuningSnapshot } from '../../contract/snapshots.js';
import { FINE_TUNING_STATUS_WORDS } from './status-words.js';
import {
  ifReadable,
  isSmall,
  wireNonEmpty,
  wireId,
  wireMetadata,
  wireModel,
  wireRecord,
  wireStatusIn,
  wireText,
  wireTime,
} from './wire.js';

const model = ifReadable(wireModel);

/** Result files of a job that are kept. A job has one. */
const MAX_RESULT_FILES = 100;
/** Longest record that is kept, in characters of JSON. A method may hold the source of a grader. */
const MAX_RECORD = 10_000;
const MAX_METHOD = 300_000;

/** An error needs a code or a message: a healthy job may carry `{code: null, message: null, param: null}`. */
const jobError = ifReadable(
  z.object({
    code: ifReadable(z.coerce.string().pipe(wireText(200))),
    message: ifReadable(wireText()),
    param: ifReadable(wireText(200)),
  }),
).transform((error) =>
  error?.code || error?.message
    ? { code: error.code ?? null, message: error.message ?? null, param: error.param ?? null }
    : null,
);

const jobFields = z
  .object({
    id: wireId,
    status: wireStatusIn(FINE_TUNING_STATUS_WORDS),
    model,
    fine_tuned_model: model,
    training_file: ifReadable(wireId),
    validation_file: ifReadable(wireId),
    result_files: ifReadable(
      z
        .array(z.unknown())
        .transform((ids) => ids.flatMap((id) => safeParse(wireId, id).data ?? []).slice(0, MAX_RESULT_FILES)),
    ),
    trained_tokens: ifReadable(z.number()),
    hyperparameters: wireRecord(MAX_RECORD),
    method: ifReadable(z.looseObject({ type: z.string() }).refine((method) => isSmall(method, MAX_METHOD))),
    seed: ifReadable(z.number()),
    error: jobError,
    metadata: wireMetadata,
    created_at: ifReadable(wireTime),
    finished_at: ifReadable(wireTime),
    estimated_finish: ifReadable(wireTime),
  })
  .transform((job) => ({
    id: job.id,
    status: job.status,
    model: job.model ?? null,
    fineTunedModel: job.fine_tuned_model ?? null,
    trainingFileId: job.training_file ?? null,
    validationFileId: job.validation_file ?? null,
    resultFileIds: job.result_files ?? [],
    trainedTokens: job.trained_tokens ?? null,
    hyperparameters: job.hyperparameters ?? null,
    method: job.method ?? null,
    seed: job.seed ?? null,
    error: job.error,
    metadata: job.metadata,
    timestamps: {
      createdAt: job.created_at ?? null,
      finishedAt: job.finished_at ?? null,
      estimatedFinish: job.estimated_finish ?? null,
    },
  }));

/**
 * Reads a fine-tuning job leniently, as any provider may send it; Together wraps it as `{job, warning}`. Times are
 * epoch seconds.
 */
export const fineTuningObjectSchema: z.ZodType<FineTuningSnapshot> = z.preprocess(
  (value) => (value && typeof value === 'object' && 'job' in value && !('id' in value) ? value.job : value),
  jobFields,
);

/** An event of a fine-tuning job. Further fields pass through; `data` is `{}`, null or metrics. */
export const fineTuningEventSchema = z.looseObject({
  id: ifReadable(wireNonEmpty),
  created_at: ifReadable(wireTime),
  level: z.string().catch('info'),
  message: z.string().catch(''),
});
export type FineTuningEvent = z.output<typeof fineTuningEventSchema>;

/** A checkpoint of a fine-tuning job, and its metrics. */
export const checkpointSchema = z
  .looseObject({
    id: wireId,
    created_at: ifReadable(wireTime),
    fine_tuned_model_checkpoint: model,
    step_number: ifReadable(z.number()),
    metrics: wireRecord(MAX_RECORD),
  })
  .transform((checkpoint) => ({
    id: checkpoint.id,
    createdAt: checkpoint.created_at ?? null,
    model: checkpoint.fine_tuned_model_checkpoint ?? null,
    stepNumber: checkpoint.step_number ?? null,
    metrics: checkpoint.metrics ?? {},
  }));
export type Checkpoint = z.output<typeof checkpointSchema>;
