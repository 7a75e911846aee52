/** Every fault and every scenario of the local API on both lifecycles, each in a run of its own; `npm run docs:faults` writes the table. */
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
const page = new URL('../../../docs/reference/faults.md', import.meta.url);
const rows: Row[] = [];

const stage = timeSkippingStage({
  // For time-outs, which are waited for in earnest.
  providers: { impatient: { timeoutMs: 150 } },
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
  /** Struck once each. */
  readonly operations?: readonly Operation[];
  /** Of the run, which so cancels its job. */
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
      // A job ends by itself unless its cancel is what is to be struck.
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

/** What is looked at after a run, next to how it ended. */
interface Seen {
  readonly ended: string;
  /** Nothing, or what does not fit the expectation. */
  readonly unexpectedWords: string | null;
  readonly lines: BatchResult['lines'] | null;
  /** Lines in the two files of a batch's result. */
  readonly linesInFiles: number | null;
  /** Jobs at the provider beyond the first. */
  readonly twins: number;
  readonly failedWorkflowTasks: number;
  readonly bugs: string[];
  readonly isKeyLeaked: boolean;
  /** The fault struck something, and where one operation was to be struck, that one. */
  readonly hasStruck: boolean;
}

/** What must be seen, whatever the fault: at most one job, each line accounted for, no bug, no key. */
function toSee({ kind, expected }: Case): Seen {
  const isBatchResult = kind === 'batch' && 'ends' in expected;
  const none = { succeeded: 0, failed: 0, unfinished: 0, missing: 0 };
  return {
    ended: 'fails' in expected ? expected.fails : expected.ends,
    unexpectedWords: null,
    lines: isBatchResult ? { ...none, ...expected.lines } : null,
    linesInFiles: isBatchResult ? LINES : null,
    twins: 0,
    failedWorkflowTasks: 0,
    bugs: [],
    isKeyLeaked: false,
    hasStruck: true,
  };
}

test.each(CASES.map((one) => ({ ...one, outcome: told(one.expected) })))('$name: $title → $outcome', async (one) => {
  const { kind, section, name, operations = [], expected, deadline } = one;
  if (section === 'batchScenario') stage.api.scenarios.forNextBatch(name as 'stepsBack');
  if (section === 'fineTuningScenario') stage.api.scenarios.forNextJob(name as 'stepsBack');
  const faults = new Map(operations.map((on) => [on, stage.api.faults.add({ on, effect: name as FaultName })]));
  const { seen, jobs } = await live(one, faults);
  stage.api.faults.clear();
  stage.api.scenarios.clear();

  expect(seen).toEqual(toSee(one));
  const struck = [...faults].filter(([, { hits }]) => hits > 0).map(([operation]) => operation);
  const retried = new Set(stage.failures().filter((type) => type !== seen.ended));
  rows.push({
    section,
    name,
    where: deadline !== undefined && operations.length === 0 ? `deadline ${deadline}` : struck.join(', '),
    expected: told(expected),
    happened: `${seen.ended}${seen.lines ? `: ${linesIn(seen.lines)}` : ''}; ${counted(jobs, kind)}`,
    retried: [...retried].join(', '),
  });
});

test('docs/reference/faults.md: what happened now → what it says', async () => {
  const content = faultsPage(rows);
  if (process.env.LLM_JOBS_WRITE_DOCS) await writeFile(page, content);
  expect(withoutLastColumn(await readFile(page, 'utf8'))).toBe(withoutLastColumn(content));
});

/** A busy machine may add a time-out of its own to what was retried. */
const withoutLastColumn = (text: string) => text.replaceAll(/[^|\n]*\|$/gm, '');

async function live(
  { kind, name, expected, deadline, operations = [] }: Case,
  faults: ReadonlyMap<Operation, FaultHandle>,
): Promise<{ seen: Seen; jobs: number }> {
  const workflowId = `${kind}-${randomUUID()}`;
  const run = await start(kind, workflowId, {
    ...(deadline !== undefined && { deadline }),
    ...(operations.length > 0 && FAULT_EFFECTS[name as FaultName].kind === 'timeout' && { provider: 'impatient' }),
  });
  const { ended, says, result } = await run.result().then(
    (value: BatchResult | FineTuningResult) => ({
      ended: value.status,
      says: value.warnings.join('\n'),
      result: value,
    }),
    (error: unknown) => {
      const { type, message } = (error as WorkflowFailedError).cause as ApplicationFailure;
      return { ended: String(type), says: message, result: null };
    },
  );
  const { events } = await run.handle.fetchHistory();
  const jobs = await jobsOf(kind, workflowId);
  const batchResult = result && 'lines' in result ? result : null;
  const hits = [...faults.values()].filter((fault) => fault.hits > 0).length;
  return {
    jobs,
    seen: {
      ended,
      unexpectedWords: fits(expected, says) ? null : says,
      lines: batchResult?.lines ?? null,
      linesInFiles: batchResult && (batchResult.output?.lines ?? 0) + (batchResult.errors?.lines ?? 0),
      twins: Math.max(0, jobs - 1),
      failedWorkflowTasks: events?.filter((event) => event.workflowTaskFailedEventAttributes).length ?? 0,
      bugs: stage.failures().filter((type) => type === 'UnexpectedError' || type.includes(':')),
      isKeyLeaked: says.includes(stage.api.apiKey),
      hasStruck: operations.length === 0 || (operations.length === 1 ? hits === 1 : hits > 0),
    },
  };
}

/** Looks cost time, so there are few. */
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

/** A failure says what it must, a result warns of what it must and of nothing else. */
function fits(expected: Expected, says: string): boolean {
  if ('fails' in expected) return expected.saying?.test(says) ?? true;
  return expected.warns?.test(says) ?? says === '';
}

const counted = (jobs: number, kind: Kind) => `${jobs === 0 ? 'no' : jobs} ${kind === 'batch' ? 'batch' : 'job'}`;

function linesIn(lines: Partial<Record<string, number>>): string {
  const outcomes = Object.entries(lines).filter(([, count]) => count);
  return outcomes.map(([outcome, count]) => `${count} ${outcome}`).join(', ');
}

function told(expected: Expected): string {
  if ('fails' in expected) return expected.fails;
  return `${expected.ends}${expected.lines ? `: ${linesIn(expected.lines)}` : ''}${expected.warns ? ', with a warning' : ''}`;
}
