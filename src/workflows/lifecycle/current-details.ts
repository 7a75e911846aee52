/**
 * The details page of a run in the Temporal UI: what the run is, its status, what it is doing and what it has warned
 * about.
 */
import { setCurrentDetails } from '@temporalio/workflow';
import type { Attention, Cancellation, Phase } from '../../contract/progress.js';
import { inMarkdown } from '../../contract/text.js';
import type { RunControl } from './run-control.js';
import { iso } from './time.js';

/** Polls that find nothing new leave no trace in the history, so the workflow cannot show how far the job is. */
const LIVE_PROGRESS =
  'For live progress, see the last failure under *Pending Activities*. `NothingNew` is not an error.';

const PHASE_TEXTS: Record<Phase, string> = {
  checking: 'Checking the input line by line before uploading it.',
  uploading: 'Uploading the input.',
  creating: 'Creating the job at the provider, exactly once.',
  waiting: `Waiting for the provider to finish. ${LIVE_PROGRESS}`,
  cancelling: `Cancelling: waiting for the provider to stop the job. Partial results are kept. ${LIVE_PROGRESS}`,
  collecting: 'Collecting the results into storage.',
  done: 'The run has ended.',
};

export interface Details {
  readonly title: string;
  readonly status: string;
  /** Label and plain text; rows without a value are left out. */
  readonly rows: readonly (readonly [label: string, value: string | number | null | undefined])[];
}

/** What of a run is shown. */
type ShownRun = Pick<RunControl, 'phase' | 'cancellation' | 'attention'> & { readonly warnings: readonly string[] };

export function showDetails(
  { phase, cancellation, attention, warnings }: ShownRun,
  { title, status, rows }: Details,
): void {
  const lines = [
    `### ${inMarkdown(title)}: ${inMarkdown(status)}`,
    '',
    ...(attention ? [describeAttention(attention), ''] : []),
    PHASE_TEXTS[phase],
    '',
    ...[...rows, ['Cancellation requested', cancellation && describeCancellation(cancellation)] as const]
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([label, value]) => `- **${label}:** ${inMarkdown(String(value))}`),
  ];
  if (warnings.length > 0) lines.push('', '**Warnings**', '', ...warnings.map((text) => `- ${inMarkdown(text)}`));
  setCurrentDetails(lines.join('\n'));
}

function describeAttention({ since, message }: Attention): string {
  const goesOn = 'The run asks again at growing intervals of up to an hour, and goes on when it is answered.';
  return `**Needs attention** since ${inMarkdown(iso(since))}: ${inMarkdown(message)}. ${goesOn} *wake* asks now.`;
}

const CANCELLED_BY: Record<Cancellation['by'], string> = {
  signal: 'by signal',
  deadline: 'by the deadline',
  workflow: 'through Temporal',
};

function describeCancellation({ by, at, reason }: Cancellation): string {
  return `${CANCELLED_BY[by]} at ${iso(at)}${reason === null ? '' : `: ${reason}`}`;
}
