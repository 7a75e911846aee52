/** Options of a worker that its configuration and the options of `createActivities` share. */
import * as z from 'zod';
import { toMs, type Duration } from './duration.js';
import { durationSchema, WATCH_MODES } from './spec-fields.js';

/** Defaults of the poll interval. */
export const POLL: { readonly min: Duration; readonly max: Duration } = { min: '5s', max: '5m' };

/** What the watch does with a job whose run has ended. */
export const ORPHAN_ACTIONS = ['leave', 'cancel'] as const;

/** The name of a provider, which becomes part of workflow ids and of paths. */
export const providerNameSchema = z
  .string()
  .regex(/^[\w.-]{1,100}$/, "must be a name of up to 100 letters, digits, '.', '_' and '-'");

const pollFields = {
  /**
   * The shortest interval, while a job is young.
   * @default '5s'
   */
  min: durationSchema.optional(),
  /**
   * The longest interval.
   * @default '5m'
   */
  max: durationSchema.optional(),
} as const;

export type PollSchema = z.ZodObject<typeof pollFields, z.core.$strict>;
/** Bounds of the poll interval. */
export const pollSchema: PollSchema = z
  .strictObject(pollFields)
  .refine(({ min = POLL.min, max = POLL.max }) => toMs(min) <= toMs(max), {
    path: ['min'],
    error: `must not be larger than max, which is '${POLL.max}' by default`,
  });

const watchFields = {
  /**
   * `account`: one watch reads the lists of an account; `job`: each run polls its job.
   * @default 'account'
   */
  mode: z.enum(WATCH_MODES).optional(),
  /**
   * How often a sleeping run checks that its job is watched.
   * @default '6h'
   */
  net: durationSchema.optional(),
  /**
   * What becomes of a job whose run has ended.
   * @default 'leave'
   */
  onOrphan: z.enum(ORPHAN_ACTIONS).optional(),
} as const;

export type WatchSchema = z.ZodObject<typeof watchFields, z.core.$strict>;
/** How jobs are watched that are under way. */
export const watchSchema: WatchSchema = z.strictObject(watchFields);
