/** What the page of a bulk batch shows besides that of every run. */
import type { BulkBatchProgress, BulkBatchResult } from '../../contract/bulk-batch.js';
import type { TokenUsage } from '../../contract/batch.js';
import type { RoundPlan } from '../../contract/part.js';
import type { AnsweredSoFar } from '../../contract/progress.js';
import { iso } from '../lifecycle/time.js';
import { describeFile, describeLines, describeUsage } from './batch-page.js';
import { bar, code, count, counted, expectedEnd } from './markdown.js';
import type { RunPage } from './run-page.js';

/** Parts, models and rounds that are shown. */
const MAX_ROWS = 10;

/** The run of a part that has not reported its end. */
export interface OpenPart {
  /** Name of the part's attempt, such as `r1-p3`. */
  readonly name: string;
  readonly workflowId: string;
  /** Null where it is not known, or there is none yet. */
  readonly batchId: string | null;
}

export interface ShownBulk {
  readonly workflowId: string;
  readonly progress: BulkBatchProgress;
  /** Epoch seconds: when the phase began, and when the bulk batch did. */
  readonly phaseSince: number;
  readonly startedAt: number;
  /** Epoch seconds. */
  readonly now: number;
  /** 0 before they are counted. */
  readonly requests: number;
  readonly open: readonly OpenPart[];
  /** Null before the end. */
  readonly result: BulkBatchResult | null;
  readonly input: string;
  readonly spec: { readonly provider: string; readonly maxRounds: number };
}

export function bulkPage(shown: ShownBulk): RunPage {
  const { progress, result, requests, open, spec } = shown;
  const { phase, round, parts, lines, underWay, sent, anomalies, isPaused, waitingFor } = progress;
  const isOver = phase === 'done';
  const ended = lines.succeeded + lines.failed;
  const end = phase === 'waiting' && !isPaused ? expectedEnd(ended, requests, shown.startedAt, shown.now) : null;
  return {
    noun: 'Bulk batch',
    id: null,
    status: result ? code(result.status) : statusOf(round, spec.maxRounds),
    story: storyOf(shown),
    bar: result ? describeLines(result.lines) : requests > 0 ? describeEnded(lines, requests) : null,
    rows: [
      ['Waiting for', !isOver && waitingFor !== null && code(waitingFor, 600)],
      ['Running batches', !isOver && describeUnderWay(underWay)],
      ['Expected end', end !== null && `${iso(end)}, at the rate so far`],
      ['Parts of this round', !isOver && parts.total > 0 && describeParts(parts)],
      ['Output', result && describeFile(result.output)],
      ['Errors', result && describeFile(result.errors)],
      ['Batches', result && `${count(result.batches)}, in ${counted(result.rounds, 'round')}`],
      ['Cost', result?.cost && `${money(result.cost.total)}, by the prices of the spec`],
      ['Answers', result && code(`llm-jobs results ${shown.workflowId}`, 1_100)],
      ['Anomalies', describeAnomalies(anomalies)],
      ['Input', code(shown.input)],
      ['Provider', code(spec.provider, 100)],
    ],
    lists: [
      ['Parts that run', isOver ? [] : describeOpen(open)],
      ['Rounds', describeSent(sent)],
      ['Usage', result ? describeModels(result.usage) : []],
    ],
    steering: STEERING,
  };
}

const STEERING = [
  'Signal `cancel`: the provider stops all batches, and the run completes with what was answered, merged.',
  'Updates `pause` and `resume`: no further batch is created; those that exist go on.',
  '*Request Cancellation*: as `cancel`, but the run ends as Cancelled.',
  '*Terminate*: nothing is merged. **The batches of parts that run go on and are paid for**: cancel the runs of the parts.',
  '*Reset*: the run begins again and finds the runs of its parts. Nothing is bought twice.',
  '*Pause*: no further part is started. **Parts that run go on and are paid for.**',
];

function statusOf(round: number, maxRounds: number): string {
  if (round === 0) return 'not planned yet';
  // Rounds for want of credit are not limited.
  return round <= maxRounds ? `round ${round} of at most ${maxRounds}` : `round ${round}`;
}

function storyOf({ progress, phaseSince }: ShownBulk): string {
  const { phase, isPaused, round } = progress;
  const at = `since ${iso(phaseSince)}`;
  if (isPaused) return '**Paused:** no batch is created until the update `resume`. Batches that exist go on.';
  if (phase === 'checking') {
    return round === 0
      ? `**Checking the input** and splitting it into parts, ${at}. Nothing is at the provider yet.`
      : `**Planning the next round**, ${at}: what is unanswered is sent again.`;
  }
  if (phase === 'collecting') return `**Merging the results** of all parts, ${at}.`;
  if (phase === 'cancelling' || progress.cancelRequested) {
    return '**Cancelling:** the provider may take minutes to stop the batches. What was answered is kept.';
  }
  return (
    '**Waiting for the batches of the parts.** Requests are counted here when their batch has ended. ' +
    'Update `look` counts what the running batches have answered; the run of a part says what it waits for.'
  );
}

function describeEnded({ succeeded, failed }: BulkBatchProgress['lines'], requests: number): string {
  return `${bar(succeeded + failed, requests)} requests answered${failed > 0 ? `, ${count(failed)} failed` : ''}`;
}

const describeParts = ({ done, running, waiting, total }: BulkBatchProgress['parts']): string =>
  `${count(done)} done, ${count(running)} running, ${count(waiting)} waiting, of ${count(total)}`;

function describeUnderWay(answered: AnsweredSoFar | null): string | null {
  if (answered === null) return null;
  const { total, completed, failed, asOf } = answered;
  const failures = failed > 0 ? `, ${count(failed)} failed` : '';
  return `${bar(completed + failed, total)} answered${failures}, as of ${iso(asOf)}`;
}

function describeOpen(open: readonly OpenPart[]): string[] {
  const shown = open.slice(0, MAX_ROWS).map(({ name, workflowId, batchId }) => {
    const batch = batchId === null ? '' : `batch ${code(batchId)}, `;
    return `${code(name)}: ${batch}run ${code(workflowId, 1_100)}`;
  });
  return open.length > MAX_ROWS ? [...shown, `and ${count(open.length - MAX_ROWS)} more`] : shown;
}

/** A line for each of the last rounds, such as `round 2: 12 requests (9 unfinished, 3 failed)`. */
function describeSent(sent: readonly RoundPlan[]): string[] {
  return sent.slice(-MAX_ROWS).map(({ round, requests, reasons }) => {
    const why = Object.entries(reasons).map(([reason, number]) => `${count(number)} ${reason}`);
    return `round ${round}: ${counted(requests, 'request')} (${why.join(', ')})`;
  });
}

const money = (amount: number): string => amount.toLocaleString('en-US', { maximumFractionDigits: 6 });

function describeAnomalies({ duplicates, unknownIds, unreadable }: BulkBatchProgress['anomalies']): string | null {
  if (duplicates + unknownIds + unreadable === 0) return null;
  return `${count(duplicates)} duplicate lines, ${count(unknownIds)} under unknown ids, ${count(unreadable)} unreadable`;
}

function describeModels(usage: Readonly<Record<string, TokenUsage>>): string[] {
  const models = Object.entries(usage).slice(0, MAX_ROWS);
  return models.map(([model, used]) => `${code(model, 100)}: ${describeUsage(used) ?? 'no tokens'}`);
}
