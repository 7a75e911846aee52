import type { ManyJobs, Sleepers } from './many-jobs.js';
import type { ExactJobs } from './exact-day.js';
import type { SteadyJobs } from './steady-jobs.js';

/** What is in the JSON file. */
export interface Measurements {
  exact: ExactJobs[];
  manyJobs: ManyJobs[];
  steadyJobs: SteadyJobs[];
  sleepers: Sleepers[];
}
