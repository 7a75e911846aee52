/** The page of a run in the Temporal UI: what it is, how far, what it waits for and why, and how it ended. */
import type { Attention, Cancellation, Phase } from '../../contract/progress.js';
import { iso } from '../lifecycle/time.js';
import type { ShownFailure } from '../../contract/failure-facts.js';
import { describeFailure } from './failure.js';
import { code, link, list, type Row } from './markdown.js';

/** What the pages of all runs show. */
export interface ShownRun {
  readonly phase: Phase;
  readonly cancellation: Cancellation | null;
  readonly attention: Attention | null;
  readonly warnings: readonly string[];
  /** Why the run has failed; null if it has not. */
  readonly failure: ShownFailure | null;
}

/** What the page of one kind of run adds. All texts are markdown. */
export interface RunPage {
  /** Such as `Batch`. */
  readonly noun: string;
  /** Id of the job; null before there is one, and for a bulk batch. */
  readonly id: string | null;
  /** Where the run is, or how it ended. */
  readonly status: string;
  /** The spec's `link`. */
  readonly link?: string | undefined;
  /** What the run waits for, and why it may last. */
  readonly story: string;
  /** How much is done; null where there is nothing to count. */
  readonly bar: string | null;
  readonly rows: readonly Row[];
  /** Lines of a list with a head of its own. */
  readonly lists?: readonly (readonly [head: string, lines: readonly string[]])[];
  /** What a person can do, and what that does to what is paid for. */
  readonly steering: readonly string[];
}

/** Warnings that are shown. All of them are in the answer of `progress`. */
const MAX_WARNINGS = 20;

export function describeRun(run: ShownRun, page: RunPage): string {
  const { phase, cancellation, attention, warnings, failure } = run;
  const isOver = phase === 'done';
  const name = page.id === null ? page.noun : `${page.noun} ${code(page.id)}`;
  const state = failure === null ? page.status : `failed, ${code(failure.type)}`;
  return blocks([
    [`### ${name}: ${state}`],
    failure === null ? [] : describeFailure(failure),
    attention === null || isOver ? [] : [describeAttention(attention)],
    isOver ? [] : [page.story],
    page.bar === null ? [] : [page.bar],
    list([
      ['Cancel', cancellation && describeCancellation(cancellation)],
      ...page.rows,
      ['At the provider', page.id !== null && page.link !== undefined && link('its page', page.link, page.id)],
    ]),
    ...(page.lists ?? []).map(([head, lines]) => headed(head, lines)),
    headed('Warnings', shortened(warnings)),
    isOver ? [] : headed('What you can do', page.steering),
  ]);
}

function blocks(given: readonly (readonly string[])[]): string {
  return given
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function headed(head: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`**${head}**`, '', ...lines.map((line) => `- ${line}`)];
}

function shortened(warnings: readonly string[]): string[] {
  const others = warnings.length - MAX_WARNINGS;
  const shown = warnings.slice(0, MAX_WARNINGS).map((text) => code(text));
  return others > 0 ? [...shown, `and ${others} more: see the query \`progress\``] : shown;
}

const ASKED_FOR: Record<Attention['operation'], string> = {
  read: 'reading the job',
  cancel: 'cancelling the job',
  search: 'the search for further jobs of this run',
  collect: 'collecting the results',
  plan: 'planning the next round',
  merge: 'merging the results',
  record: 'recording the outcomes of parts',
};

function describeAttention({ since, operation, message }: Attention): string {
  return (
    `**Needs attention:** ${ASKED_FOR[operation]} is refused or not answered since ${iso(since)}: ${code(message, 500)}. ` +
    'The run asks again at growing intervals of up to an hour and goes on by itself once it is answered. ' +
    'Signal `wake` asks now.'
  );
}

const CANCELLED_BY: Record<Cancellation['by'], string> = {
  signal: 'requested by signal',
  deadline: 'requested by the deadline',
  workflow: 'requested through Temporal',
};

function describeCancellation({ by, at, reason }: Cancellation): string {
  return `${CANCELLED_BY[by]} at ${iso(at)}${reason === null ? '' : `: ${code(reason)}`}`;
}
