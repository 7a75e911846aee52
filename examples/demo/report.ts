/** What the demo prints at its end: a few answers, what came out, what was paid for, and links into the UI. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BatchResult, BulkBatchResult, FineTuningResult } from '../../src/index.js';
import { style } from './display.js';
import { REQUESTS, type CreatedJobs } from './environment.js';
import type { DemoResults } from './jobs.js';

const TITLE_WIDTH = 25;
const SAMPLES = ['triage-001', 'translate-002', 'summary-003', 'extract-002', 'tool-001', 'always-429', 'always-500'];

/** @param created what the API has created, by its own count */
export async function* report(results: DemoResults, created: CreatedJobs): AsyncGenerator<string> {
  const { batch, bulk, fineTuning } = results;
  yield heading('Some requests and their answers');
  yield* requestsWithAnswers(batch.result.output?.uri, batch.result.errors?.uri);
  yield heading('What came out');
  for (const job of jobsOf(results)) yield `  ${job.title.padEnd(TITLE_WIDTH)} ${outcomeOf(job.result)}`;
  if (bulk && fineTuning) {
    yield heading('What was paid for, although a worker was killed');
    yield `  The API counts ${created.batches} batches (${bulk.result.batches} of the bulk) and ${created.fineTuningJobs} fine-tuning job:`;
    yield '  as many as were asked for. No job was lost, and none was created twice.';
  }
  yield heading('In the Temporal UI');
  for (const { title, uiUrl } of jobsOf(results)) yield `  ${title.padEnd(TITLE_WIDTH)} ${uiUrl}`;
}

const jobsOf = ({ batch, bulk, fineTuning, cancelled }: DemoResults) =>
  [batch, bulk, fineTuning, cancelled].filter((job) => job !== undefined);

function outcomeOf(result: BatchResult | BulkBatchResult | FineTuningResult): string {
  if ('fineTunedModel' in result) return `${result.status}: ${result.fineTunedModel ?? 'no model'}`;
  const { lines, status } = result;
  const kinds = (['succeeded', 'failed', 'unfinished', 'missing'] as const).filter((kind) => lines[kind] > 0);
  const counts = kinds.map((kind) => `${lines[kind]} ${kind}`).join(', ');
  return `${status}: ${counts}${'rounds' in result ? `, in ${result.batches} batches` : ''}`;
}

async function* requestsWithAnswers(...uris: (string | undefined)[]): AsyncGenerator<string> {
  const answers = new Map<string, string>();
  for (const uri of uris) {
    if (uri === undefined) continue;
    for await (const line of jsonLines(fileURLToPath(uri))) answers.set(String(line.custom_id), answerOf(line));
  }
  for await (const { custom_id: id, body } of jsonLines(fileURLToPath(REQUESTS))) {
    if (!SAMPLES.includes(String(id))) continue;
    const question = text((body as { messages: { content: unknown }[] }).messages.at(-1)?.content);
    const answer = answers.get(String(id)) ?? 'no answer';
    yield `  ${String(id).padEnd(14)} ${shorten(question, 44).padEnd(44)}  →  ${shorten(answer, 60)}`;
  }
}

interface Answer {
  readonly response?: {
    readonly status_code?: number;
    readonly body?: {
      readonly error?: { readonly message?: string };
      readonly choices?: { readonly message: { readonly content: unknown; readonly tool_calls?: unknown } }[];
    };
  } | null;
  readonly error?: { readonly message?: string } | null;
}

function answerOf({ response, error }: Answer): string {
  const message = response?.body?.choices?.[0]?.message;
  if (message) return text(message.content ?? message.tool_calls);
  const reason = response?.body?.error?.message ?? error?.message ?? '';
  return `failed${response?.status_code === undefined ? '' : ` with ${response.status_code}`}: ${reason}`;
}

async function* jsonLines(path: string): AsyncGenerator<Record<string, unknown>> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (line !== '') yield JSON.parse(line) as Record<string, unknown>;
  }
}

const text = (content: unknown): string => (typeof content === 'string' ? content : JSON.stringify(content));

function shorten(content: string, length: number): string {
  const line = content.replace(/\s+/g, ' ');
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}

const heading = (title: string): string => `\n${style('bold', title)}`;
