/**
 * Every fault and every scenario of the local API on both lifecycles, each in a separate run; `npm run docs:faults`
 * writes the table.
 */
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import { expect, test } from 'vitest';
import { JOB_KEY, type BatchResult, type FineTuningResult } from '../../../src/index.js';
import {
  BATCH_SCENARIO_NAMES,
  FAULT_EFFECTS,
  FAULT_NAMES,
  FINE_TUNING_SCENARIO_NAMES,
  type FaultHandle,
  type FaultName,
  type Operation,
} from '../../../src/testing/index.js';
import { timeSkippingStage } from '../../support/stage.js';
import { MINUTE, HOUR } from '../../../dev/stage/timing.js';
import { chatExamples, chatRequests } from '../../support/samples.js';
import {
  BATCH_SCENARIOS_EXPECTED,
  FAULTS_EXPECTED,
  FINE_TUNING_SCENARIOS_EXPECTED,
  LINES,
  STRUCK,
  type Expected,
} from './expectations.js';
import { faultsPage, type Row } from './faults-page.js';

type Kind = 'batch' | 'fineTuning';
const PAGE = new URL('../../../docs/reference/faults.md', import.meta.url);
const rows: Row[] = [];

const stage = timeSkippingStage({
  // Timeouts are waited for in real time.
  providers: { impatient: { timeoutMs: 1_000 } },
  api: {
    batches: {
      validatingMs: 10 * MINUTE,
      inProgressMs: 3 * HOUR,
      finalizingMs: 10 * MINUTE,
      cancellingMs: 5 * MINUTE,
      jitter: 0,
    },
    fineTuning: { validatingMs: 10 * MINUTE, queuedMs: 3 * HOUR, runningMs: 3 * HOUR, jitter: 0 },
  },
});

interface Case {
  readonly kind: Kind;
  readonly section: Row['section'];
  readonly name: string;
  readonly title: string;
  readonly expected: Expected;
  /** The fault strikes each of them once. */
  readonly operations?: readonly Operation[];
  /** Of the run, which cancels its job when it passes. */
  readonly deadline?: string | undefined;
}

const faultCases = (kind: Kind): Case[] =>
  FAULT_NAMES.flatMap((name): Case[] => {
    const expectation = FAULTS_EXPECTED[name];
    if (expectation.passes) {
      const ends: Expected =
        kind === 'batch' ? { ends: 'completed', lines: { succeeded: LINES } } : { ends: 'succeeded' };
      const expected = { ...ends, ...(expectation.warns && { warns: expectation.warns }) };
      return [{ kind, section: kind, name, title: 'at every operation once', expected, operations: STRUCK[kind] }];
    }
    return Object.entries(expectation[kind]).map(([operation, expected]) => ({
      kind,
      section: kind,
      name,
      title: `at ${operation}`,
      expected,
      operations: [operation as Operation],
      // A cancel is only called when a deadline cancels the job.
      ...(operation.endsWith('.cancel') && { deadline: '1h' }),
    }));
  });

const CASES: Case[] = [
  ...faultCases('batch'),
  ...faultCases('fineTuning'),
  ...BATCH_SCENARIO_NAMES.map((name): Case => ({
    kind: 'batch',
    section: 'batchScenario',
    name,
    title: 'a batch',
    ...BATCH_SCENARIOS_EXPECTED[name],
  })),
  ...FINE_TUNING_SCENARIO_NAMES.map((name): Case => ({
    kind: 'fineTuning',
    section: 'fineTuningScenario',
    name,
    title: 'a fine-tuning job',
    ...FINE_TUNING_SCENARIOS_EXPECTED[name],
  })),
];

/** What is checked after a run. */
interface Observed {
  readonly ended: string;
  /** Message or warnings of the run if they do not fit the expectation. */
  readonly unexpectedText: string | null;
  readonly lines: BatchResult['lines'] | null;
  /** Lines in the two files of a batch's result. */
  readonly linesInFiles: number | null;
  /** Jobs at the provider beyond the first. */
  readonly duplicates: number;
  readonly failedWorkflowTasks: number;
  readonly bugs: string[];
  readonly isKeyLeaked: boolean;
  /** The fault struck something, and where one operation was to be struck, that one. */
  readonly hasStruck: boolean;
}

/** What must be true whatever the fault: at most one job, each line accounted for, no bug, no leaked key. */
function mustBeObserved({ kind, expected }: Case): Observed {
  const isBatchResult = kind === 'batch' && 'ends' in expected;
  const none = { succeeded: 0, failed: 0, unfinished: 0, missing: 0 };
  return {
    ended: 'fails' in expected ? expected.fails : expected.ends,
    unexpectedText: null,
    lines: isBatchResult ? { ...none, ...expected.lines } : null,
    linesInFiles: isBatchResult ? LINES : null,
    duplicates: 0,
    failedWorkflowTasks: 0,
    bugs: [],
    isKeyLeaked: false,
    hasStruck: true,
  };
}

test.each(CASES.map((one) => ({ ...one, outcome: textOf(one.expected) })))('$name: $title → $outcome', async (one) => {
  const { kind, section, name, operations = [], expected, deadline } = one;
  if (section === 'batchScenario') stage.api.scenarios.forNextBatch(name as 'stepsBack');
  if (section === 'fineTuningScenario') stage.api.scenarios.forNextFineTuningJob(name as 'stepsBack');
  const faults = new Map(operations.map((on) => [on, stage.api.faults.add({ on, effect: name as FaultName })]));
  const { observed, jobs } = await play(one, faults);
  stage.api.faults.clear();
  stage.api.scenarios.clear();

  expect(observed).toEqual(mustBeObserved(one));
  const struck = [...faults].filter(([, { hits }]) => hits > 0).map(([operation]) => operation);
  const retried = new Set(stage.failures().filter((type) => type !== observed.ended));
  rows.push({
    section,
    name,
    where: deadline !== undefined && operations.length === 0 ? `deadline ${deadline}` : struck.join(', '),
    expected: textOf(expected),
    happened: `${observed.ended}${observed.lines ? `: ${linesIn(observed.lines)}` : ''}; ${counted(jobs, kind)}`,
    retried: [...retried].join(', '),
  });
});

test('docs/reference/faults.md: what happened → what the page says', async () => {
  const content = faultsPage(rows);
  if (process.env.LLM_JOBS_WRITE_DOCS) await writeFile(PAGE, content);
  expect(withoutLastColumn(await readFile(PAGE, 'utf8'))).toBe(withoutLastColumn(content));
});

/** Without the retries: a busy machine may add a timeout. */
const withoutLastColumn = (text: string) => text.replaceAll(/[^|\n]*\|$/gm, '');

async function play(
  { kind, name, expected, deadline, operations = [] }: Case,
  faults: ReadonlyMap<Operation, FaultHandle>,
): Promise<{ observed: Observed; jobs: number }> {
  const workflowId = `${kind}-${randomUUID()}`;
  const run = await start(kind, workflowId, {
    ...(deadline !== undefined && { deadline }),
    ...(operations.length > 0 && FAULT_EFFECTS[name as FaultName].kind === 'timeout' && { provider: 'impatient' }),
  });
  const { ended, text, result } = await run.result().then(
    (value: BatchResult | FineTuningResult) => ({
      ended: value.status,
      text: value.warnings.join('\n'),
      result: value,
    }),
    (error: unknown) => {
      const { type, message } = (error as WorkflowFailedError).cause as ApplicationFailure;
      return { ended: String(type), text: message, result: null };
    },
  );
  const { events } = await run.handle.fetchHistory();
  const jobs = await jobsOf(kind, workflowId);
  const batchResult = result && 'lines' in result ? result : null;
  const hits = [...faults.values()].filter((fault) => fault.hits > 0).length;
  return {
    jobs,
    observed: {
      ended,
      unexpectedText: fits(expected, text) ? null : text,
      lines: batchResult?.lines ?? null,
      linesInFiles: batchResult && (batchResult.output?.lines ?? 0) + (batchResult.errors?.lines ?? 0),
      duplicates: Math.max(0, jobs - 1),
      failedWorkflowTasks: events?.filter((event) => event.workflowTaskFailedEventAttributes).length ?? 0,
      bugs: stage.failures().filter((type) => type === 'UnexpectedError' || type.includes(':')),
      isKeyLeaked: text.includes(stage.api.apiKey),
      hasStruck: operations.length === 0 || (operations.length === 1 ? hits === 1 : hits > 0),
    },
  };
}

/** Polls cost time, so there are few. */
const COMMON = { poll: { min: '2h', max: '2h' }, vanishedAfter: '1h' } as const;

async function start(kind: Kind, workflowId: string, more: { deadline?: string; provider?: string }) {
  const common = { ...COMMON, ...more };
  if (kind === 'fineTuning') {
    const trainingFile = { uri: await stage.write(chatExamples(10)) };
    const spec = { model: 'gpt-4o-mini-2024-07-18', trainingFile, cleanup: { input: true }, ...common };
    return stage.jobs.startFineTuning(spec, { workflowId });
  }
  const input = { requests: chatRequests(LINES) };
  const spec = { input, endpoint: '/v1/chat/completions', cleanup: { input: true, output: true }, ...common };
  return stage.jobs.startBatch(spec, { workflowId });
}

async function jobsOf(kind: Kind, workflowId: string): Promise<number> {
  const jobs: readonly { metadata?: unknown }[] = await (kind === 'batch'
    ? stage.api.batches()
    : stage.api.fineTuningJobs());
  return jobs.filter(({ metadata }) => (metadata as Record<string, string> | null)?.[JOB_KEY]?.includes(workflowId))
    .length;
}

/** A failure has the expected message; a result has the expected warning, or none. */
function fits(expected: Expected, text: string): boolean {
  if ('fails' in expected) return expected.message?.test(text) ?? true;
  return expected.warns?.test(text) ?? text === '';
}

const counted = (jobs: number, kind: Kind) => `${jobs === 0 ? 'no' : jobs} ${kind === 'batch' ? 'batch' : 'job'}`;

function linesIn(lines: Partial<Record<string, number>>): string {
  const outcomes = Object.entries(lines).filter(([, count]) => count);
  return outcomes.map(([outcome, count]) => `${count} ${outcome}`).join(', ');
}

function textOf(expected: Expected): string {
  if ('fails' in expected) return expected.fails;
  return `${expected.ends}${expected.lines ? `: ${linesIn(expected.lines)}` : ''}${expected.warns ? ', with a warning' : ''}`;
}
