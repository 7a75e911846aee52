/** The page that the Temporal UI shows of a run while it lasts: what it is, how it stands, what it waits for. */
import { setCurrentDetails } from '@temporalio/workflow';
import type { Phase } from '../jobs/run-state.js';
import { inMarkdown } from '../jobs/text.js';
import { iso } from './await-end.js';
import type { RunControl } from './run-control.js';

const DOING: Record<Phase, string> = {
  checking: 'checking the input before anything is uploaded',
  uploading: 'uploading the input',
  creating: 'creating the job at the provider, exactly once',
  waiting: 'the job to end; it is polled by an activity whose attempts cost no history',
  cancelling: 'the provider to finish cancelling',
  collecting: 'the results to be collected into storage',
  done: 'nothing: the run is over',
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
    ['Waiting for', DOING[run.phase]],
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
      '| | |',
      '| --- | --- |',
      ...rows
        .filter(([, value]) => value !== null)
        .map(([label, value]) => `| ${label} | ${inMarkdown(String(value))} |`),
      ...(run.warnings.length > 0
        ? ['', '**Warnings**', '', ...run.warnings.map((text) => `- ${inMarkdown(text)}`)]
        : []),
    ].join('\n'),
  );
}
