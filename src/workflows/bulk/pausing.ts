/** The updates `pause` and `resume` of a bulk batch: while it is paused, no batch is created. */
import { setHandler } from '@temporalio/workflow';
import { invalidField } from '../../contract/failures.js';
import type { RunControl } from '../lifecycle/run-control.js';
import { pauseUpdate, resumeUpdate } from '../messages.js';
import type { PartRuns } from './part-runs.js';
import type { BulkState } from './state.js';

/** Sets the handlers. The updates may be repeated. */
export function handlePausing(run: RunControl, state: BulkState, runs: PartRuns): void {
  const set = (isPaused: boolean) => {
    if (state.isPaused !== isPaused) {
      state.isPaused = isPaused;
      runs.hold();
      run.onChange();
    }
    return isPaused ? 'paused' : 'running';
  };
  const requireFurtherParts = (action: string) => {
    const { cancellation, phase } = run;
    if (cancellation) throw invalidField(null, `cannot ${action}: the bulk batch was cancelled`);
    if (phase === 'collecting' || phase === 'done') throw invalidField(null, `cannot ${action}: no part is left`);
  };
  setHandler(pauseUpdate, () => set(true), {
    validator: () => requireFurtherParts('pause'),
    description: 'Creates no further batch until the update `resume`. Batches that exist go on. Returns `paused`.',
  });
  setHandler(resumeUpdate, () => set(false), {
    validator: () => requireFurtherParts('resume'),
    description: 'Creates batches again. Returns `running`.',
  });
}
