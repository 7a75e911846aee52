import { setCurrentDetails } from '@temporalio/workflow';
import { describeRun, type RunPage, type ShownRun } from '../details/run-page.js';

/** Shows the page of a run in the Temporal UI, and to `temporal workflow metadata`. It is no command of the history. */
export function showDetails(run: ShownRun, page: RunPage): void {
  setCurrentDetails(describeRun(run, page));
}
