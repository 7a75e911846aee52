/** How a provider may differ from OpenAI, checked. `ProviderTraits` says what each field means. */
import { z } from 'zod';
import { BATCH_STATUSES, FINE_TUNING_STATUSES } from '../contract/status.js';
import { NEEDS, type Need } from './needs.js';

const positive = z.int().min(1);

/** A status of the provider, which is compared in lower case. */
const statusWord = z
  .string()
  .refine(
    (word) => word !== '' && word === word.trim().toLowerCase(),
    'a word must be in lower case, without blanks around it',
  );

const traitsFields = {
  /** Whether jobs keep `metadata`. */
  metadata: z.boolean().optional(),
  /** Whether jobs can be listed, with their metadata. */
  lists: z.boolean().optional(),
  /** Whether uploads accept `expires_after`. */
  fileExpiry: z.boolean().optional(),
  /** Whether a file must be processed before a job can use it. */
  fileMustBeProcessed: z.boolean().optional(),
  /** Whose rules training files are checked by. */
  trainingRules: z.enum(['openai', 'provider']).optional(),
  /** Whether a job ends at its `expires_at`. */
  expiresAtIsFinal: z.boolean().optional(),
  /** The provider's own words for statuses, in lower case, and what they mean. */
  statusWords: z.record(statusWord, z.enum([...BATCH_STATUSES, ...FINE_TUNING_STATUSES])).optional(),
  /** Number of fine-tuning jobs that may be unfinished at the same time. */
  fineTuningSlots: positive.nullable().optional(),
  /** What the provider has no API for, each with a sentence that says what to do instead. */
  unsupported: z
    .partialRecord(z.enum(Object.keys(NEEDS) as Need[]), z.string().min(1, 'must say what to do instead'))
    .optional(),
} as const;

export type TraitsSchema = z.ZodObject<typeof traitsFields, z.core.$strict>;
/** The traits, as a configuration or the options of the activities write them. */
export const traitsSchema: TraitsSchema = z.strictObject(traitsFields);

const batchLimitsFields = {
  /** Requests in one batch. */
  requests: positive.optional(),
  /** Size of the input file, in bytes. */
  bytes: positive.optional(),
  /** Embedding inputs of a batch. */
  embeddingInputs: positive.optional(),
  /** Size of one request, in bytes. */
  lineBytes: positive.optional(),
  /** Batches that the account may create within an hour. */
  createsPerHour: positive.optional(),
  /** Share of the limits of enqueued tokens and requests that is left to other users of the account. */
  reservedShare: z.number().min(0).max(0.9).optional(),
} as const;

export type BatchLimitsSchema = z.ZodObject<typeof batchLimitsFields, z.core.$strict>;
/** The limits that differ from OpenAI's. */
export const batchLimitsSchema: BatchLimitsSchema = z.strictObject(batchLimitsFields);
