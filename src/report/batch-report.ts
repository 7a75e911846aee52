/** The report of a batch: how its requests ended, what happened when, files, reasons, usage and cost. */
import type { BatchResult } from '../contract/batch.js';
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
import { duration, facts, iso, nothing, section, table, when, type Html } from './html.js';
import type { BatchReport } from './report.js';

const STAGES = ['validating', 'in_progress', 'finalizing'] as const;

export function batchSections(report: BatchReport, charts: Charts | null): Html[] {
  const { progress, result, reasons, cost } = report;
  return [
    section('Batch', runFacts(report, progress), batchFacts(report)),
    failureSection(report),
    warningsSection(result?.warnings ?? progress?.warnings ?? [], result ? null : progress),
    ...(result === null
      ? []
      : [
          countsSection(result.lines),
          whenSection(result, charts),
          reasonsSection(reasons),
          usageSection({ [result.model ?? report.spec.model ?? 'unknown']: result.usage }, cost),
          filesSection([
            ['output', result.output],
            ['errors', result.errors],
            ['unreadable', result.unreadable],
          ]),
        ]),
  ];
}

function batchFacts({ progress, result, endedAt }: BatchReport): Html {
  const counts = result?.requestCounts ?? progress?.counts;
  return facts([
    ['Batch', codeOrNull(result?.batchId ?? progress?.jobId ?? null)],
    ['Status', result?.status ?? progress?.status ?? null],
    [
      'The provider counts',
      counts ? `${counts.completed} completed, ${counts.failed} failed, of ${counts.total}` : null,
    ],
    ['Results are settled', result ? (result.isSettled ? 'yes' : 'no: see the warnings') : null],
    ['Waits for', endedAt === null ? (progress?.waitingFor ?? null) : null],
    ['Expires', endedAt === null ? iso(progress?.expiresAt ?? null) : null],
    ['Cancelled', cancellationText(result?.cancellation ?? progress?.cancellation)],
  ]);
}

function whenSection({ timestamps, batchId }: BatchResult, charts: Charts | null): Html {
  const { createdAt, inProgressAt, finalizingAt, endedAt, expiresAt } = timestamps;
  const starts = [createdAt, inProgressAt, finalizingAt];
  const bars = STAGES.flatMap((state, index): Bar[] => {
    const from = starts[index] ?? null;
    const to = [...starts.slice(index + 1), endedAt].find((at) => at !== null) ?? null;
    return from === null || to === null || to <= from ? [] : [{ row: 'batch', state, from, to, text: '' }];
  });
  const rows = [
    ['created', createdAt],
    ['in progress', inProgressAt],
    ['finalizing', finalizingAt],
    ['ended', endedAt],
    ['would have expired', expiresAt],
  ] as const;
  const label = `Timeline of ${batchId ?? 'the batch'}: ${bars.map(({ state, from, to }) => `${state.replaceAll('_', ' ')} for ${duration(to - from)}`).join(', ')}`;
  return section(
    'What happened when',
    charts !== null && bars.length > 0 ? charts.timeline({ label, bars, states: STAGES }) : nothing(),
    table(
      "By the provider's clock, in UTC",
      ['what', 'when', 'after its creation'],
      rows.flatMap(([what, at]) =>
        at === null ? [] : [[what, when(at), (createdAt === null ? null : duration(at - createdAt)) ?? '']],
      ),
    ),
  );
}
