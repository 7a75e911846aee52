import { BATCHES, FINE_TUNING_JOBS } from '../provider/job-kinds.js';

/** The events at which a job ends, and the kind of job that each is about. */
export const JOB_EVENTS = {
  'batch.completed': BATCHES,
  'batch.failed': BATCHES,
  'batch.expired': BATCHES,
  'batch.cancelled': BATCHES,
  'fine_tuning.job.succeeded': FINE_TUNING_JOBS,
  'fine_tuning.job.failed': FINE_TUNING_JOBS,
  'fine_tuning.job.cancelled': FINE_TUNING_JOBS,
} as const;

/** A type of event that tells the end of a job. */
export type JobEventType = keyof typeof JOB_EVENTS;

export const isJobEvent = (type: string): type is JobEventType => Object.hasOwn(JOB_EVENTS, type);
