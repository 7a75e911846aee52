/** What tests read from runs and their results. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ApplicationFailure, CancelledFailure, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { expect } from 'vitest';
import { JOB_KEY, jobOwnerOf, type LineCounts } from '../../src/index.js';
import type { LocalApi } from '../../src/testing/index.js';

export const endpoint = '/v1/chat/completions';

/** Statuses after which nothing happens to a job. */
export const TERMINAL_STATUSES = ['completed', 'failed', 'expired', 'cancelled', 'succeeded'];

interface AnyRun {
  readonly result: () => Promise<unknown>;
}

/** The failure that ended the run. */
export async function failureOf(run: AnyRun): Promise<ApplicationFailure> {
  const cause = await causeOf(run);
  expect(cause).toBeInstanceOf(ApplicationFailure);
  return cause as ApplicationFailure;
}

/** Expects that the run ends as `Cancelled`. */
export async function expectCancelled(run: AnyRun): Promise<void> {
  expect(await causeOf(run)).toBeInstanceOf(CancelledFailure);
}

async function causeOf(run: AnyRun): Promise<unknown> {
  const error = await run.result().then(
    () => new Error('the run did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(WorkflowFailedError);
  return (error as WorkflowFailedError).cause;
}

export async function historyLength(handle: WorkflowHandle): Promise<number> {
  return (await handle.fetchHistory()).events?.length ?? 0;
}

/** Batches and fine-tuning jobs at the provider that a run owns, by its workflow id. */
export async function jobsOf(api: LocalApi, workflowId: string) {
  const jobs = [...(await api.batches()), ...(await api.fineTuningJobs())];
  return jobs.filter((job) => ownerOf(job) === workflowId);
}

/** Workflow id of the run that a job at the provider belongs to. */
export function ownerOf({ metadata }: { readonly metadata?: unknown }): string | undefined {
  return jobOwnerOf((metadata as Record<string, string> | null)?.[JOB_KEY] ?? '')?.workflowId;
}

/** A line of a result file, or an event of a fine-tuning job. */
export interface StoredLine {
  readonly custom_id: string;
  readonly response: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  readonly [field: string]: unknown;
}

/** The lines of a JSONL file in storage; none for a file that does not exist. */
export async function readLines(uri: string | undefined): Promise<StoredLine[]> {
  if (uri === undefined) return [];
  const text = await readFile(fileURLToPath(uri), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as StoredLine);
}

/** The ids of requests or of result lines. */
export const idsOf = (lines: readonly { readonly custom_id: string }[]): string[] =>
  lines.map(({ custom_id }) => custom_id);

/** How many lines a result accounts for. */
export function totalOf({ lines }: { readonly lines: LineCounts }): number {
  return lines.succeeded + lines.failed + lines.unfinished + lines.missing;
}
