/** The report of a bulk batch: rounds and parts over time, how the requests ended, reasons, usage and cost. */
import type { RoundPlan } from '../contract/part.js';
import { bounded } from '../contract/text.js';
import type { Bar, Charts } from './charts.js';
import {
  cancellationText,
  codeOrNull,
  countsSection,
  failureSection,
  filesSection,
  reasonsSection,
  runFacts,
  usageSection,
  warningsSection,
} from './common-sections.js';
import { count, facts, nothing, paragraph, section, table, when, type Html } from './html.js';
import { PART_STATES, type BulkReport, type ReportedPart } from './report.js';

/** A plot with more rows is not read by anybody. */
const MAX_BARS = 200;
const MAX_ROWS = 2_000;
const MAX_ID = 60;

export function bulkSections(report: BulkReport, charts: Charts | null): Html[] {
  const { progress, result, reasons, cost, parts } = report;
  const lines = result?.lines ?? progress?.lines;
  return [
    section('Bulk batch', runFacts(report, progress), bulkFacts(report)),
    failureSection(report),
    warningsSection(result?.warnings ?? progress?.warnings ?? [], result ? null : progress),
    lines ? countsSection(lines) : nothing(),
    roundsSection(result?.sent ?? progress?.sent ?? []),
    partsSection(parts, report.madeAt, charts),
    reasonsSection(reasons),
    ...(result === null
      ? []
      : [
          usageSection(result.usage, cost),
          filesSection([
            ['output', result.output],
            ['errors', result.errors],
            ['unreadable', result.unreadable],
            ['parts', result.parts],
          ]),
        ]),
  ];
}

function bulkFacts({ progress, result, endedAt }: BulkReport): Html {
  const { parts } = progress ?? {};
  return facts([
    ['Status', result?.status ?? progress?.status ?? null],
    ['Requests', result ? count(result.requests) : null],
    ['Batches', result ? `${count(result.batches)} in ${count(result.rounds)} rounds` : null],
    [
      'Parts of this round',
      !result && parts
        ? `${parts.done} done, ${parts.running} running, ${parts.waiting} waiting, of ${parts.total}`
        : null,
    ],
    ['Waits for', endedAt === null ? (progress?.waitingFor ?? null) : null],
    ['Paused', !result && progress?.isPaused ? 'yes: no batch is created until it is resumed' : null],
    ['Cancelled', cancellationText(result?.cancellation ?? progress?.cancellation)],
  ]);
}

function roundsSection(sent: readonly RoundPlan[]): Html {
  if (sent.length === 0) return nothing();
  const rows = sent.map(({ round, requests, reasons }) => [
    round,
    requests,
    Object.entries(reasons)
      .map(([reason, number]) => `${count(number)} ${reason}`)
      .join(', '),
  ]);
  return section('Rounds', table('What each round sent, and why', ['round', 'requests', 'reasons'], rows));
}

function partsSection(parts: readonly ReportedPart[], madeAt: number, charts: Charts | null): Html {
  if (parts.length === 0) return nothing();
  const bars = parts.slice(0, MAX_BARS).flatMap((part): Bar[] => {
    const { state, startedAt, endedAt, batchId } = part;
    if (startedAt === null) return [];
    const to = endedAt ?? madeAt;
    return [{ row: rowOf(part), state, from: startedAt, to, text: batchId === null ? '' : bounded(batchId, MAX_ID) }];
  });
  const counted = PART_STATES.map((state) => [parts.filter((part) => part.state === state).length, state] as const);
  const states = counted.filter(([number]) => number > 0).map(([number, state]) => `${count(number)} ${state}`);
  const label = `Timeline of ${count(bars.length)} of ${count(parts.length)} parts: ${states.join(', ')}`;
  return section(
    'Parts over time',
    paragraph(`${states.join(', ')}.${bars.length > 0 ? BAR_IS : ''}`),
    charts !== null && bars.length > 0 ? charts.timeline({ label, bars, states: PART_STATES }) : nothing(),
    parts.length > MAX_BARS
      ? paragraph(`The first ${count(MAX_BARS)} of ${count(parts.length)} are drawn.`)
      : nothing(),
    table('The parts, in UTC', HEAD, parts.slice(0, MAX_ROWS).map(rowCells)),
    parts.length > MAX_ROWS ? paragraph(`${count(parts.length - MAX_ROWS)} more are not in the table.`) : nothing(),
  );
}

const BAR_IS = ' A bar is the run of a part, from its start to its end, with the id of its batch.';

const rowOf = ({ round, part }: ReportedPart): string => `round ${round}, part ${part}`;

const HEAD = [
  'round',
  'part',
  'batch',
  'state',
  'model',
  'started',
  'ended',
  'succeeded',
  'failed',
  'unfinished',
  'missing',
  'failure',
];

function rowCells({ round, part, attempt, batchId, state, model, lines, failure, ...times }: ReportedPart) {
  return [
    round,
    attempt === 1 ? part : `${part}, attempt ${attempt}`,
    codeOrNull(batchId) ?? '',
    state,
    codeOrNull(model) ?? '',
    when(times.startedAt),
    when(times.endedAt),
    lines?.succeeded ?? '',
    lines?.failed ?? '',
    lines?.unfinished ?? '',
    lines?.missing ?? '',
    failure === null ? '' : `${failure.type}: ${failure.message}`,
  ];
}
