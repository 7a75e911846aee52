/** What came out, for the user to see: where to look, the manifests, and a few answers beside their questions. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { REQUESTS } from './stage.js';
import type { Ended, Outcome } from './story.js';
import { style } from './style.js';

const SAMPLES = ['triage-001', 'translate-002', 'summary-003', 'extract-002', 'tool-001', 'always-429', 'always-500'];

export async function* report({ batch, fineTuning, cancelled }: Outcome): AsyncGenerator<string> {
  const ends: Ended<unknown>[] = [batch, fineTuning, cancelled].filter((end) => end !== undefined);
  yield heading('In the Temporal UI');
  for (const { title, uiUrl } of ends) yield `  ${title.padEnd(25)} ${uiUrl}`;
  for (const { title, result } of ends) {
    yield heading(`Result of: ${title}`);
    yield inspect(result, {
      colors: process.stdout.isTTY && process.stdout.hasColors(),
      depth: 5,
      compact: 4,
      breakLength: 120,
    });
  }
  yield heading('A few lines: the question, and what came of it');
  yield* mergedLines(batch.result.output?.uri, batch.result.errors?.uri);
}

async function* mergedLines(...uris: (string | undefined)[]): AsyncGenerator<string> {
  const answers = new Map<string, string>();
  for (const uri of uris) {
    if (uri === undefined) continue;
    for await (const line of jsonLines(fileURLToPath(uri))) answers.set(String(line.custom_id), answerOf(line));
  }
  for await (const { custom_id: id, body } of jsonLines(fileURLToPath(REQUESTS))) {
    if (!SAMPLES.includes(String(id))) continue;
    const question = (body as { messages: { content: unknown }[] }).messages.at(-1)?.content;
    yield `  ${String(id).padEnd(14)} ${start(text(question), 44).padEnd(44)}  →  ${start(answers.get(String(id)) ?? 'no answer', 60)}`;
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

function start(words: string, length: number): string {
  const line = words.replace(/\s+/g, ' ');
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}

const heading = (words: string): string => `\n${style('bold', words)}`;
