/** The part's side of a bulk batch: its run reports its end to whichever run of the bulk batch is the current one. */
import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import type { BatchResult } from '../../contract/batch.js';
import { ORIGIN, type Origin } from '../../contract/job-key.js';
import {
  PART_OF,
  refusalOf,
  reportOfFailure,
  reportOfResult,
  type EndReport,
  type PartOf,
  type Refusal,
  type RunFailure,
} from '../../contract/part-report.js';
import { asRunFailure } from '../lifecycle/run-failures.js';
import { signalRun } from '../lifecycle/signal-run.js';
import { partEndedSignal } from '../messages.js';

/** Runs a batch to its end and reports how it ended. Without a bulk batch, it only runs it. */
export async function reportingToBulk(runToEnd: () => Promise<BatchResult>): Promise<BatchResult> {
  try {
    const result = await runToEnd();
    await report(reportOfResult(result));
    return result;
  } catch (error) {
    const failure = asRunFailure(error);
    // Any other error does not end the run.
    if (failure instanceof ApplicationFailure) await report(reportOfFailure(runFailureOf(failure)));
    throw error;
  }
}

/** The refusal for want of room or credit with which a run ended; null where it failed for another reason. */
export function refusalIn(failure: ApplicationFailure): Refusal | null {
  return refusalOf(runFailureOf(failure));
}

function runFailureOf({ type, message, details }: ApplicationFailure): RunFailure {
  const [first] = (details ?? []) as [RunFailure['details']?];
  return { type: type ?? 'UnexpectedError', message, details: first ?? {} };
}

/** A bulk batch that was terminated needs no report. */
async function report(end: EndReport): Promise<void> {
  const { memo } = workflowInfo();
  const part = memo?.[PART_OF] as PartOf | undefined;
  const origin = memo?.[ORIGIN] as Origin | undefined;
  if (!part || !origin) return;
  await signalRun(part.bulk, partEndedSignal, { ...end, name: part.name, origin: origin.runId });
}
