import type { BulkFolder } from '../../contract/activities/bulk-batch.js';
import type { ParsedBulkBatchSpec } from '../../contract/bulk-batch.js';
import type { PartOutcome } from '../../contract/part.js';
import type { Persistence } from '../lifecycle/persistence.js';
import type { RunControl } from '../lifecycle/run-control.js';
import type { Outcomes } from './outcomes.js';
import type { PartRuns } from './part-runs.js';
import type { BulkState } from './state.js';

/** What the steps of a round work with. */
export interface RoundContext {
  readonly spec: ParsedBulkBatchSpec;
  readonly run: RunControl;
  /** Kept up to date, for the run that continues this one. */
  readonly state: BulkState;
  readonly folder: BulkFolder;
  readonly runs: PartRuns;
  readonly outcomes: Outcomes;
  readonly persistence: Persistence;
  readonly onEnd: (outcome: PartOutcome) => void;
  readonly onChange: () => void;
}
