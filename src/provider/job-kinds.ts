/** Batches and fine-tuning jobs described alike, so that one code handles both. */
import type { z } from 'zod';
import type { BatchSnapshot, FineTuningSnapshot, JobSnapshot } from '../contract/snapshots.js';
import { batchObjectSchema } from './objects/batch.js';
import { fineTuningObjectSchema } from './objects/fine-tuning-job.js';
import type { OpenAIClient } from './openai-client.js';
import { JOB_KEY } from '../contract/job-key.js';
import { PAGE_SIZES } from '../contract/limits.js';
import { BATCH_STATUS_RULES, FINE_TUNING_STATUS_RULES, type StatusRules } from '../contract/status.js';

export interface JobKind<T extends JobSnapshot> {
  /** The prefix of the kind's operations, as in `batches.create`. */
  readonly name: 'batches' | 'fineTuning';
  /** Path of the list below the client's base URL. */
  readonly path: string;
  /** Objects per page of the list. */
  readonly pageSize: number;
  /** Query parameters by which the list filters by key. It is an optimisation: a provider may ignore them. */
  readonly filter: (key: string) => Readonly<Record<string, unknown>>;
  readonly schema: z.ZodType<T>;
  readonly statuses: StatusRules;
  readonly retrieve: (client: OpenAIClient, id: string) => PromiseLike<unknown>;
  readonly cancel: (client: OpenAIClient, id: string) => PromiseLike<unknown>;
}

export const BATCHES: JobKind<BatchSnapshot> = {
  name: 'batches',
  path: '/batches',
  pageSize: PAGE_SIZES.batches,
  filter: () => ({}),
  schema: batchObjectSchema,
  statuses: BATCH_STATUS_RULES,
  retrieve: (client, id) => client.batches.retrieve(id),
  cancel: (client, id) => client.batches.cancel(id),
};

export const FINE_TUNING_JOBS: JobKind<FineTuningSnapshot> = {
  name: 'fineTuning',
  path: '/fine_tuning/jobs',
  pageSize: PAGE_SIZES.jobs,
  filter: (key) => ({ metadata: { [JOB_KEY]: key } }),
  schema: fineTuningObjectSchema,
  statuses: FINE_TUNING_STATUS_RULES,
  retrieve: (client, id) => client.fineTuning.jobs.retrieve(id),
  cancel: (client, id) => client.fineTuning.jobs.cancel(id),
};
