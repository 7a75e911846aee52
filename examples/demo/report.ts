/** What the demo prints at its end: links into the UI, the results, and a few requests with their answers. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { showsColors, style } from './display.js';
import { REQUESTS } from './environment.js';
import type { DemoResults, EndedJob } from './jobs.js';

const SAMPLES = ['triage-001', 'translate-002', 'summary-003', 'extract-002', 'tool-001', 'always-429', 'always-500'];

export async function* report({ batch, fineTuning, cancelled }: DemoResults): AsyncGenerator<string> {
  const ended: EndedJob<unknown>[] = [batch, fineTuning, cancelled].filter((job) => job !== undefined);
  yield heading('In the Temporal UI');
  for (const { title, uiUrl } of ended) yield `  ${title.padEnd(25)} ${uiUrl}`;
  for (const { title, result } of ended) {
    yield heading(`Result: ${title}`);
    yield inspect(result, {
      colors: showsColors(),
      depth: 5,
      compact: 4,
      breakLength: 120,
    });
  }
  yield heading('Some requests and their answers');
  yield* requestsWithAnswers(batch.result.output?.uri, batch.result.errors?.uri);
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
