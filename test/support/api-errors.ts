import type { Operation } from '../../src/provider/error-table.js';

/** Every call that activities make. */
export const OPERATIONS = [
  'files.create',
  'files.retrieve',
  'files.list',
  'files.content',
  'files.delete',
  'batches.create',
  'batches.retrieve',
  'batches.list',
  'batches.cancel',
  'fineTuning.create',
  'fineTuning.retrieve',
  'fineTuning.list',
  'fineTuning.cancel',
  'fineTuning.pause',
  'fineTuning.resume',
  'fineTuning.events',
  'fineTuning.checkpoints',
] as const satisfies Operation[];
