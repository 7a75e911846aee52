import { storageRoots } from '../storage/roots.js';
import { Storage } from '../storage/storage.js';

/** The storage of the workers, by the same variable as theirs. */
export const workersStorage = (): Storage =>
  new Storage({ roots: storageRoots(process.env.LLM_JOBS_STORAGE, process.cwd()) });
