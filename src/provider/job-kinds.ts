/** Batches and fine-tuning jobs described alike, so that one code handles both. */
import type { z } from 'zod';
import type { BatchSnapshot, FineTuningSnapshot, JobSnapshot } from '../contract/snapshots.js';
import { batchObjectSchema } from './objects/batch.js';
import { fineTuningObjectSchema } from './objects/fine-tuning-job.js';
import type { OpenAIClient } from './openai-client.js';
import { PAGE_SIZES } from '../contract/limits.js';
import { BATCH_STATUS_RULES, FINE_TUNING_STATUS_RULES, type StatusRules } from '../contract/status.js';

export interface JobKind<T extends JobSnapshot> {
  /** The prefix of the kind's operations, as in `batches.create`. */
  readonly name: 'batches' | 'fineTuning';
  /** Path of the list below the client's base URL. */
  readonly path: string;
  /** Objects per page of the list. */
  readonly pageSize: number;
  /** The file that a job was created from; null where the provider does not tell it. */
  readonly inputFileId: (job: T) => string | null;
  readonly schema: z.ZodType<T>;
  readonly statuses: StatusRules;
  readonly retrieve: (client: OpenAIClient, id: string) => PromiseLike<unknown>;
  readonly cancel: (client: OpenAIClient, id: string) => PromiseLike<unknown>;
}

export const BATCHES: JobKind<BatchSnapshot> = {
  name: 'batches',
  path: '/batches',
  pageSize: PAGE_SIZES.batches,
  inputFileId: (job) => job.inputFileId,
  schema: batchObjectSchema,
  statuses: BATCH_STATUS_RULES,
  retrieve: (client, id) => client.batches.retrieve(id),
  cancel: (client, id) => client.batches.cancel(id),
};

export const FINE_TUNING_JOBS: JobKind<FineTuningSnapshot> = {
  name: 'fineTuning',
  path: '/fine_tuning/jobs',
  pageSize: PAGE_SIZES.jobs,
  inputFileId: (job) => job.trainingFileId,
  schema: fineTuningObjectSchema,
  statuses: FINE_TUNING_STATUS_RULES,
  retrieve: (client, id) => client.fineTuning.jobs.retrieve(id),
  cancel: (client, id) => client.fineTuning.jobs.cancel(id),
};
