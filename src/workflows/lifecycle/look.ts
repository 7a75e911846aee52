/** The update `look`: a person, or a program in any language, asks how the job is now. */
import { setHandler } from '@temporalio/workflow';
import type { CommonProgress } from '../../contract/progress.js';
import { lookUpdate } from '../messages.js';
import type { RunControl } from './run-control.js';
import { asUpdateFailure } from './run-failures.js';

/** @param look returns nothing before there is a job */
export function answerLooks(
  run: RunControl,
  look: () => Promise<void> | undefined,
  progress: () => CommonProgress,
): void {
  const lookNow = async () => {
    const looked = await run.untilEnded(async () => {
      await look()?.catch((error: unknown) => {
        throw asUpdateFailure('read the job', 'retrieve', error);
      });
    });
    // A run that has ended meanwhile knows the job's end.
    if (!looked.interrupted || !looked.outcomeUnknown) return progress();
    throw asUpdateFailure('read the job', 'retrieve', 'the run ended first');
  };
  setHandler(lookUpdate, lookNow, {
    description: 'Reads the job at the provider now and returns fresh progress, as the query `progress` does.',
  });
}
