import type { ManyJobs } from './many-jobs.js';
import type { OneJob } from './one-job.js';

/** What is in the JSON file. */
export interface Measurements {
  oneJob: OneJob[];
  manyJobs: ManyJobs[];
}
