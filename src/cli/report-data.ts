/** What a report tells of a run: asked of Temporal, of the run itself and of the storage. No provider is asked. */
import { ApplicationFailure, CancelledFailure, TerminatedFailure, WorkflowFailedError } from '@temporalio/client';
import { z } from 'zod';
import { JobFailedError } from '../client/job-failed-error.js';
import type { CommonConfig } from '../config/worker-config.js';
import type { FileRef } from '../contract/file-ref.js';
import type { OpenParts } from '../contract/part-report.js';
import { readReasons } from '../report/failure-reasons.js';
import type { BatchReport, BulkReport, FineTuningReport, Report, ReportedRun } from '../report/report.js';
import { readStepMetrics } from '../report/step-metrics.js';
import { manifestAt, manifestFrom, readManifest, type Manifest } from '../results/read-manifest.js';
import type { Storage } from '../storage/storage.js';
import { isOpenRun } from '../temporal/server.js';
import { CommandError } from './io.js';
import type { Shown } from './progress-text.js';
import { costOfBulk, costOfTraining, costOfUsage } from './report-cost.js';
import { partsIn, partsOf, type NamedBulk } from './report-parts.js';
import { argumentOf } from './run-input.js';
import { wordsFor } from './run-result.js';
import { answerOf, type NamedRun, type Session } from './session.js';

export interface Sources {
  readonly storage: Storage;
  readonly config: CommonConfig;
}

const NO_SPEC: ReportedRun['spec'] = { provider: null, endpoint: null, model: null, input: null };

/** The report of a run that Temporal knows. */
export async function reportOfRun(session: Session, named: NamedRun, sources: Sources): Promise<Report> {
  const notes: string[] = [];
  const { startTime, closeTime, status } = await named.run.handle.describe();
  const spec = await specOf(session, named);
  const end = isOpenRun(status.name) ? OPEN : await endOf(named);
  const progress = end.result === null ? await progressOf(session, named, notes) : null;
  const open = named.kind === 'bulkBatch' && end.result === null ? await openPartsOf(session, named) : null;
  const manifest = end.isInStorage
    ? await manifestOf(sources.storage, progress, open, spec.outputUri, notes)
    : end.result;
  const run = {
    id: named.run.workflowId,
    runStatus: status.name,
    startedAt: startTime.getTime() / 1_000,
    endedAt: closeTime ? closeTime.getTime() / 1_000 : null,
    madeAt: Math.floor(Date.now() / 1_000),
    spec: spec.shown,
    failure: end.failure,
    notes,
  };
  const report = await reportOf(run, named.kind, { progress, manifest }, sources);
  if (report.kind !== 'bulkBatch' || named.kind !== 'bulkBatch') return report;
  const known = { result: report.result, open, storage: sources.storage };
  const parts = (await noted(notes, 'The parts', () => partsOf(session, named, known))) ?? [];
  // A run that continues an earlier one began when its first part did, or before.
  const starts = [run.startedAt, ...parts.flatMap(({ startedAt }) => startedAt ?? [])];
  return { ...report, startedAt: Math.min(...starts), parts };
}

/** The report of a run or a job that Temporal does not know, from what was written to the storage. */
export async function reportOfManifest(id: string, manifest: Manifest, sources: Sources): Promise<Report> {
  const { result } = manifest;
  const times = 'timestamps' in result ? result.timestamps : { createdAt: null };
  const notes = ['Temporal knows no run of this id. The report is made of the manifest in the storage.'];
  const run = {
    id,
    runStatus: null,
    startedAt: times.createdAt,
    endedAt: 'finishedAt' in times ? times.finishedAt : 'endedAt' in times ? times.endedAt : null,
    madeAt: Math.floor(Date.now() / 1_000),
    spec: NO_SPEC,
    failure: null,
    notes,
  };
  const kind = manifest.kind === 'bulk' ? 'bulkBatch' : manifest.kind;
  const report = await reportOf(run, kind, { progress: null, manifest }, sources);
  if (report.kind !== 'bulkBatch') return report;
  const { parts: file = null } = report.result ?? {};
  const parts = file && (await noted(notes, 'The parts', () => partsIn(sources.storage, file)));
  return { ...report, parts: parts ?? [] };
}

type Known = { readonly progress: Shown['progress'] | null; readonly manifest: Manifest | null };

async function reportOf(
  run: Omit<ReportedRun, 'cost' | 'notes'> & { readonly notes: string[] },
  kind: Report['kind'],
  { progress, manifest }: Known,
  { storage, config: { prices } }: Sources,
): Promise<Report> {
  const reasonsIn = (errors: FileRef | null) =>
    errors && noted(run.notes, 'The errors file', () => readReasons(storage, errors));
  if (kind === 'batch') {
    const result = manifest?.kind === 'batch' ? manifest.result : null;
    const model = result?.model ?? run.spec.model;
    const cost = result && model !== null ? costOfUsage({ [model]: result.usage }, prices) : null;
    const reasons = await reasonsIn(result?.errors ?? null);
    return { ...run, kind, progress: progress as BatchReport['progress'], result, cost, reasons };
  }
  if (kind === 'bulkBatch') {
    const result = manifest?.kind === 'bulk' ? manifest.result : null;
    const cost = result && costOfBulk(result, prices);
    const reasons = await reasonsIn(result?.errors ?? null);
    const about = { ...run, kind, progress: progress as BulkReport['progress'] };
    return { ...about, result, cost, reasons, parts: [] };
  }
  const result = manifest?.kind === 'fineTuning' ? manifest.result : null;
  const { model } = run.spec;
  const tokens = result?.trainedTokens ?? null;
  const cost = model !== null && tokens !== null ? costOfTraining(model, tokens, prices) : null;
  const files = result?.resultFiles ?? [];
  const metrics = await noted(run.notes, 'The file of metrics', () => readStepMetrics(storage, files));
  return { ...run, kind, progress: progress as FineTuningReport['progress'], result, cost, metrics };
}

/** Null with a note if it cannot be read: the report tells the rest. */
async function noted<T>(notes: string[], what: string, read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    notes.push(`${what} could not be read: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

interface End {
  readonly result: Manifest | null;
  readonly failure: ReportedRun['failure'];
  /** Whether there may be a result that Temporal does not have. */
  readonly isInStorage: boolean;
}

const OPEN: End = { result: null, failure: null, isInStorage: false };

/** How a run ended. One that was cancelled by Temporal has not failed, and has its results in the storage only. */
async function endOf(named: NamedRun): Promise<End> {
  try {
    return { ...OPEN, result: await manifestOfResult(named) };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    if (error instanceof JobFailedError) {
      const { type, details, whatNext: next } = error;
      const failure = { type, message: cause?.message ?? '', details, next };
      return { ...OPEN, result: partialResult(named, details), failure };
    }
    if (cause instanceof CancelledFailure) return { ...OPEN, isInStorage: true };
    const [message, next] = wordsFor(named.run.workflowId, error);
    const type =
      cause instanceof TerminatedFailure
        ? 'Terminated'
        : cause instanceof ApplicationFailure
          ? (cause.type ?? 'Failed')
          : 'Failed';
    return { result: null, failure: { type, message, details: null, next }, isInStorage: true };
  }
}

async function manifestOfResult(named: NamedRun): Promise<Manifest> {
  if (named.kind === 'batch') return { kind: 'batch', result: await named.run.result() };
  if (named.kind === 'bulkBatch') return { kind: 'bulk', result: await named.run.result() };
  return { kind: 'fineTuning', result: await named.run.result() };
}

/** Some failures carry what was collected before. */
function partialResult(named: NamedRun, details: unknown): Manifest | null {
  const { result } = { ...(details as { readonly result?: unknown } | undefined) };
  return named.kind === 'bulkBatch' ? null : manifestFrom(result);
}

/** Null where no worker answers, with a note. */
async function progressOf(session: Session, named: NamedRun, notes: string[]): Promise<Shown['progress'] | null> {
  try {
    return await answerOf<Shown['progress']>(session, named, () => named.run.progress());
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    notes.push(`How far the run is, is not known: ${error.message}.`);
    return null;
  }
}

/** Null where no worker answers. */
async function openPartsOf(session: Session, bulk: NamedBulk): Promise<OpenParts | null> {
  try {
    return await answerOf(session, bulk, () => bulk.run.handle.query<OpenParts>('openParts'));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return null;
  }
}

/** What a run without a result has written. A bulk batch tells the folder of its parts, which is inside of its own. */
async function manifestOf(
  storage: Storage,
  progress: Shown['progress'] | null,
  open: OpenParts | null,
  outputUri: string | undefined,
  notes: string[],
): Promise<Manifest | null> {
  const { jobId = null } = progress ?? {};
  const bulkFolder = open === null || open.resultsUri === '' ? null : open.resultsUri.replace(/\/[^/]+\/?$/, '');
  const manifest = await noted(notes, 'The manifest', async () => {
    if (bulkFolder !== null) return manifestAt(storage, storage.resolve(bulkFolder, 'manifest.json'));
    return jobId === null ? null : readManifest(storage, jobId, outputUri);
  });
  notes.push(
    manifest
      ? 'The run ended without a result. What it had collected is in the storage, and shown here.'
      : 'The run ended without a result, and no manifest of it was found in the storage.',
  );
  return manifest;
}

const fileSchema = z.union([z.object({ uri: z.string() }), z.object({ fileId: z.string() })]);
const specSchema = z.object({
  provider: z.string().default('default'),
  endpoint: z.string().optional(),
  model: z.string().optional(),
  outputUri: z.string().optional(),
  trainingFile: fileSchema.optional(),
  input: z
    .union([
      fileSchema,
      z.object({ uris: z.array(z.string()) }),
      z.object({ prefix: z.string() }),
      z.object({ requests: z.array(z.unknown()) }),
    ])
    .optional(),
});

type ReadSpec = z.output<typeof specSchema>;

/** Of a spec that cannot be read, since it is faulty or encrypted, nothing is told. */
async function specOf(session: Session, { run }: NamedRun) {
  const argument = await argumentOf(session, run.handle).catch(() => undefined);
  const { data } = specSchema.safeParse(argument);
  if (!data) return { shown: NO_SPEC, outputUri: undefined };
  const { provider, endpoint = null, model = null, outputUri } = data;
  return { shown: { provider, endpoint, model, input: inputText(data) }, outputUri };
}

function inputText({ input, trainingFile }: ReadSpec): string | null {
  const from = input ?? trainingFile;
  if (from === undefined) return null;
  if ('uri' in from) return from.uri;
  if ('fileId' in from) return from.fileId;
  if ('prefix' in from) return from.prefix;
  return 'uris' in from ? from.uris.join(' ') : `${from.requests.length} requests in the spec`;
}
