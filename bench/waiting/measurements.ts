import type { ManyJobs } from './many-jobs.js';
import type { OneJob } from './one-job.js';
import type { SteadyJobs } from './steady-jobs.js';

/** What is in the JSON file. */
export interface Measurements {
  oneJob: OneJob[];
  manyJobs: ManyJobs[];
  steadyJobs: SteadyJobs[];
}
