/** The report of a fine-tuning job: loss and accuracy against steps, checkpoints, hyperparameters, cost. */
import type { FineTuningResult } from '../contract/fine-tuning.js';
import { thinned, type Charts, type Series } from './charts.js';
import {
  cancellationText,
  codeOrNull,
  costFacts,
  failureSection,
  filesSection,
  runFacts,
  warningsSection,
} from './common-sections.js';
import { code, count, facts, iso, nothing, paragraph, section, table, when, type Html } from './html.js';
import type { FineTuningReport } from './report.js';
import type { StepMetrics } from './step-metrics.js';

/** Each is a plot of all metrics whose name has the word. */
const PLOTS = [
  { word: 'loss', title: 'Loss', yLabel: 'loss' },
  { word: 'accuracy', title: 'Token accuracy', yLabel: 'accuracy' },
  { word: 'reward', title: 'Reward', yLabel: 'reward' },
] as const;

/** Rows of a table of steps, besides those of the checkpoints. */
const MAX_STEPS = 50;

export function fineTuningSections(report: FineTuningReport, charts: Charts | null): Html[] {
  const { progress, result } = report;
  return [
    section('Fine-tuning job', runFacts(report, progress), jobFacts(report)),
    failureSection(report),
    warningsSection(result?.warnings ?? progress?.warnings ?? [], result ? null : progress),
    ...(result === null
      ? []
      : [
          ...metricSections(metricsOf(report, result), result, charts),
          parametersSection(result),
          checkpointsSection(result),
          section('Cost', facts([['Trained tokens', tokensOf(result)]]), costFacts(report.cost)),
          filesSection([['events', result.events], ...result.resultFiles.map((file) => ['metrics', file] as const)]),
        ]),
  ];
}

const tokensOf = ({ trainedTokens }: FineTuningResult): string | null =>
  trainedTokens === null ? null : count(trainedTokens);

function jobFacts({ progress, result, endedAt }: FineTuningReport): Html {
  const { steps = null } = progress ?? {};
  return facts([
    ['Job', codeOrNull(result?.jobId ?? progress?.jobId ?? null)],
    ['Status', result?.status ?? progress?.status ?? null],
    ['New model', codeOrNull(result?.fineTunedModel ?? null)],
    [
      'Step',
      result === null && steps
        ? `${count(steps.done)}${steps.total === null ? '' : ` of ${count(steps.total)}`}`
        : null,
    ],
    ['Expected end', endedAt === null ? iso(progress?.estimatedFinish ?? null) : null],
    ['Cancelled', cancellationText(result?.cancellation ?? progress?.cancellation)],
  ]);
}

/** The metrics of the result file; those of the checkpoints where there is none. */
function metricsOf({ metrics }: FineTuningReport, { checkpoints }: FineTuningResult): StepMetrics {
  if (metrics) return metrics;
  const steps = checkpoints.flatMap(({ stepNumber, metrics: values }) => {
    const numbers = Object.entries(values).filter(([name, value]) => name !== 'step' && typeof value === 'number');
    return stepNumber === null
      ? []
      : [{ step: stepNumber, values: Object.fromEntries(numbers) as Record<string, number> }];
  });
  return { names: [...new Set(steps.flatMap(({ values }) => Object.keys(values)))], steps };
}

function metricSections(metrics: StepMetrics, { checkpoints }: FineTuningResult, charts: Charts | null): Html[] {
  const marks = checkpoints.flatMap(({ stepNumber }, index) =>
    stepNumber === null ? [] : [{ x: stepNumber, label: `checkpoint ${index + 1}` }],
  );
  const marked = new Set(marks.map(({ x }) => x));
  return PLOTS.flatMap(({ word, title, yLabel }) => {
    const names = metrics.names.filter((name) => name.includes(word));
    const steps = metrics.steps.filter(({ values }) => names.some((name) => (values[name] ?? null) !== null));
    if (steps.length === 0) return [];
    const series = names.map((name): Series => {
      const points = steps.map(({ step, values }) => ({ x: step, y: values[name] ?? null }));
      const known = points.filter((point): point is { x: number; y: number } => point.y !== null);
      return { name: nameOf(name), points: known, isDashed: name.includes('valid') };
    });
    const label = `${title} against the training step: ${series.map(lastOf).join(', ')}`;
    const evenly = new Set(thinned(steps, MAX_STEPS));
    const shown = steps.filter((each) => evenly.has(each) || marked.has(each.step));
    const caption =
      shown.length === steps.length
        ? `${title} by step`
        : `${title} of ${count(shown.length)} of ${count(steps.length)} steps`;
    const rows = shown.map(({ step, values }) => [
      step,
      ...names.map((name) => values[name] ?? ''),
      marked.has(step) ? `checkpoint ${marks.findIndex(({ x }) => x === step) + 1}` : '',
    ]);
    const plot = charts === null ? nothing() : charts.lines({ label, xLabel: 'step', yLabel, series, marks });
    return [section(title, plot, table(caption, ['step', ...names.map(nameOf), 'checkpoint'], rows))];
  });
}

const nameOf = (name: string): string =>
  name
    .replace(/^train_/, 'training ')
    .replace(/^(full_)?valid_/, '$1validation ')
    .replaceAll('_', ' ');

function lastOf({ name, points }: Series): string {
  const last = points.at(-1);
  return last ? `${name} ${last.y} at step ${last.x}` : `${name} unknown`;
}

function parametersSection({ hyperparameters, method }: FineTuningResult): Html {
  const rows = Object.entries(hyperparameters ?? {}).map(([name, value]) => [code(name), code(textOf(value))]);
  return section(
    'Hyperparameters',
    facts([['Method', codeOrNull(method?.type ?? null)]]),
    rows.length === 0 ? paragraph('The provider told none.') : table('As the job used them', ['name', 'value'], rows),
  );
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function checkpointsSection({ checkpoints }: FineTuningResult): Html {
  if (checkpoints.length === 0) return nothing();
  const rows = checkpoints.map(({ stepNumber, model, createdAt }, index) => [
    index + 1,
    stepNumber ?? '',
    codeOrNull(model) ?? '',
    when(createdAt),
  ]);
  return section(
    'Checkpoints',
    table('Each is a model that can be used', ['checkpoint', 'step', 'model', 'created'], rows),
  );
}
