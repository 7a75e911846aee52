/** What the commands do that start runs, follow them to their end, and read their results. */
import type { z } from 'zod';
import { RunEndedError } from '../client/llm-jobs-client.js';
import { batchSpecSchema, type BatchSpec } from '../contract/batch.js';
import { bulkBatchSpecSchema, type BulkBatchSpec } from '../contract/bulk-batch.js';
import { fineTuningSpecSchema, type FineTuningSpec } from '../contract/fine-tuning.js';
import { parseSent } from '../contract/absent-fields.js';
import { describeFaults } from '../contract/parse-spec.js';
import { follow } from './follow.js';
import { endpointIn, inputFile, type InputFile } from './input-file.js';
import { CommandError, EXIT_CODES, type Io } from './io.js';
import { jsonFile } from './json-file.js';
import { inSession, type CommonOptions } from './run-actions.js';
import { adviceOnWorkers, runOf, type Session } from './session.js';
import { workersStorage } from './workers-storage.js';

export interface StartCommandOptions extends CommonOptions {
  readonly id?: string;
  /** A JSON file with further fields of the spec. */
  readonly spec?: string;
  readonly endpoint?: string;
  readonly model?: string;
  readonly validation?: string;
}

export type StartedKind = 'batch' | 'bulk' | 'fine-tune';

/** @param isFollowed whether the command waits for the end */
export async function start(
  io: Io,
  kind: StartedKind,
  files: readonly string[],
  options: StartCommandOptions,
  isFollowed: boolean,
): Promise<void> {
  const further = options.spec === undefined ? {} : await jsonFile('--spec', options.spec);
  const storage = await workersStorage(options);
  const inputs = await Promise.all(files.map((file) => inputFile(file, storage)));
  const validation = options.validation === undefined ? null : await inputFile(options.validation, storage);
  const spec = await specOf(kind, inputs, validation, { ...options, further });
  assertValid(kind, spec);
  await inSession(options, async (session) => {
    for (const input of [...inputs, ...(validation ? [validation] : [])]) await input.bring();
    const workflowId = await started(session, kind, spec, options.id);
    if (isFollowed) {
      io.err(`${workflowId} was started`);
      await follow(io, session, [await runOf(session, workflowId)], options.json === true);
    } else {
      const text = `${workflowId} was started. To see it: llm-jobs status ${workflowId}`;
      io.out(options.json ? JSON.stringify({ workflowId }) : text);
      const advice = await adviceOnWorkers(session, session.jobs.taskQueue);
      if (advice !== null) io.err(advice);
    }
  });
}

interface SpecOptions extends StartCommandOptions {
  readonly further: object;
}

async function specOf(
  kind: StartedKind,
  inputs: readonly InputFile[],
  validation: InputFile | null,
  { endpoint, model, further }: SpecOptions,
): Promise<object> {
  const uris = inputs.map(({ uri }) => uri);
  const [first] = inputs;
  const [uri = ''] = uris;
  if (kind === 'bulk') {
    return { ...further, input: uris.length > 1 ? { uris } : { uri }, ...(endpoint !== undefined && { endpoint }) };
  }
  if (kind === 'batch') {
    const known = endpoint ?? ('endpoint' in further || !first ? undefined : await endpointIn(first));
    return { ...further, input: { uri }, ...(known !== undefined && { endpoint: known }) };
  }
  return {
    ...further,
    trainingFile: { uri },
    ...(model !== undefined && { model }),
    ...(validation && { validationFile: { uri: validation.uri } }),
  };
}

const SCHEMAS = { batch: batchSpecSchema, bulk: bulkBatchSpecSchema, 'fine-tune': fineTuningSpecSchema };

/** Before any file is copied. */
function assertValid(kind: StartedKind, spec: object): void {
  const schema: z.ZodType = SCHEMAS[kind];
  const { report } = parseSent(schema, spec);
  if (report) throw new CommandError(EXIT_CODES.usage, describeFaults(report), NOTHING_STARTED);
}

const NOTHING_STARTED = 'Nothing was started. Fields are given by options, or by --spec with a JSON file.';

async function started({ jobs }: Session, kind: StartedKind, spec: object, id: string | undefined): Promise<string> {
  const options = id === undefined ? {} : { workflowId: id };
  try {
    if (kind === 'batch') return (await jobs.startBatch(spec as BatchSpec, options)).workflowId;
    if (kind === 'bulk') return (await jobs.startBulkBatch(spec as BulkBatchSpec, options)).workflowId;
    return (await jobs.startFineTuning(spec as FineTuningSpec, options)).workflowId;
  } catch (error) {
    if (error instanceof RunEndedError) {
      const next = `To read its result: llm-jobs status ${error.workflowId}. To buy again: another --id`;
      throw new CommandError(
        EXIT_CODES.refused,
        `a run with the workflow id "${error.workflowId}" has ended`,
        next,
        error,
      );
    }
    throw error;
  }
}

export async function watch(io: Io, workflowIds: readonly string[], options: CommonOptions): Promise<void> {
  await inSession(options, async (session) => {
    const runs = await Promise.all([...new Set(workflowIds)].map((workflowId) => runOf(session, workflowId)));
    await follow(io, session, runs, options.json === true);
  });
}
