/** The page that the Temporal UI shows of a run while it lasts: what it is, how it stands, what it waits for. */
import { setCurrentDetails } from '@temporalio/workflow';
import type { Phase } from '../../contract/progress.js';
import { inMarkdown } from '../../contract/text.js';
import { iso } from './wait-for-end.js';
import type { RunControl } from './run-control.js';

/** Where the numbers of this very moment are: looks that find nothing new cost no history, so the workflow does not hear of them. */
const LAST_LOOK =
  'How far it is now stands under *Pending Activities*, in the last failure: `NothingNew` there is no error.';

const DOING: Record<Phase, string> = {
  checking: 'Checking every line of the input, before anything is uploaded.',
  uploading: 'Uploading the input.',
  creating: 'Creating the job at the provider, exactly once.',
  waiting: `Waiting for the job to end at the provider. ${LAST_LOOK}`,
  cancelling: `Cancelled; waiting for the provider to stop the job. What is done by then is kept. ${LAST_LOOK}`,
  collecting: 'Collecting the results into storage.',
  done: 'The run is over.',
};

export interface Page {
  readonly title: string;
  readonly status: string;
  /** Further rows: label and plain text. */
  readonly rows: readonly (readonly [label: string, value: string | number | null])[];
}

export function showDetails(run: RunControl, page: Page): void {
  const { cancellation } = run;
  const rows: Page['rows'] = [
    ...page.rows,
    [
      'Cancel requested',
      cancellation &&
        `by ${cancellation.by} at ${iso(cancellation.at)}${cancellation.reason === null ? '' : `: ${cancellation.reason}`}`,
    ],
  ];
  setCurrentDetails(
    [
      `### ${inMarkdown(page.title)}: ${inMarkdown(page.status)}`,
      '',
      DOING[run.phase],
      '',
      ...rows
        .filter(([, value]) => value !== null)
        .map(([label, value]) => `- **${label}:** ${inMarkdown(String(value))}`),
      ...(run.warnings.length > 0
        ? ['', '**Warnings**', '', ...run.warnings.map((text) => `- ${inMarkdown(text)}`)]
        : []),
    ].join('\n'),
  );
}
