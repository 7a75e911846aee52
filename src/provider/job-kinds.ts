/** What batches and fine-tuning jobs have in common at the provider. */
import type OpenAI from 'openai';
import type { z } from 'zod';
import { batchObjectSchema, type BatchSnapshot } from './objects/batch.js';
import { fineTuningObjectSchema, type FineTuningSnapshot } from './objects/fine-tuning-job.js';
import { JOB_KEY } from '../contract/job-key.js';
import { PAGE_SIZES } from '../contract/limits.js';
import { isBatchEnd, isFineTuningEnd } from '../contract/status.js';

/** What every job tells of itself. */
export interface Job {
  readonly id: string;
  readonly status: string;
  readonly timestamps: { readonly createdAt: number | null };
  readonly metadata: Readonly<Record<string, string>>;
}

export interface JobKind<T extends Job> {
  readonly name: 'batches' | 'fineTuning';
  /** Of the list, below the client's base URL. */
  readonly path: string;
  readonly pageSize: number;
  /** The list's filter by key, where it has one; not relied on. */
  readonly filter: (key: string) => Readonly<Record<string, unknown>>;
  readonly schema: z.ZodType<T>;
  readonly isEnd: (status: string) => boolean;
  readonly retrieve: (client: OpenAI, id: string) => PromiseLike<unknown>;
}

export const BATCHES: JobKind<BatchSnapshot> = {
  name: 'batches',
  path: '/batches',
  pageSize: PAGE_SIZES.batches,
  filter: () => ({}),
  schema: batchObjectSchema,
  isEnd: isBatchEnd,
  retrieve: (client, id) => client.batches.retrieve(id),
};

export const FINE_TUNING_JOBS: JobKind<FineTuningSnapshot> = {
  name: 'fineTuning',
  path: '/fine_tuning/jobs',
  pageSize: PAGE_SIZES.jobs,
  filter: (key) => ({ metadata: { [JOB_KEY]: key } }),
  schema: fineTuningObjectSchema,
  isEnd: isFineTuningEnd,
  retrieve: (client, id) => client.fineTuning.jobs.retrieve(id),
};
