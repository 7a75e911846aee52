import type { ApplicationFailure } from '@temporalio/workflow';
import { invalidInput } from '../../contract/failures.js';
import type { FaultReport } from '../../contract/input-fault.js';
import { showDetails } from './current-details.js';
import { JobAttributes } from './job-attributes.js';
import type { RunControl } from './run-control.js';

/**
 * The failure of a run whose spec is invalid, after the page of the run shows it.
 *
 * @param noun what the run is, such as `Batch`
 */
export function refusedSpec(run: RunControl, noun: string, report: FaultReport): ApplicationFailure {
  const refusal = invalidInput(report);
  run.failed(refusal);
  new JobAttributes(null).ended('failed');
  run.phase = 'done';
  showDetails(run, { noun, id: null, status: '', story: '', bar: null, rows: [], steering: [] });
  return refusal;
}
