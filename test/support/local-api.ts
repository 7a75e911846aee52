import OpenAI, { toFile } from 'openai';
import { LocalApi, ManualClock, type LocalApiOptions } from '../../src/testing/index.js';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** Durations without jitter: a batch takes 12 minutes. */
export const EXACT_BATCHES = {
  jitter: 0,
  validatingMs: MINUTE,
  inProgressMs: 10 * MINUTE,
  finalizingMs: MINUTE,
  cancellingMs: MINUTE,
};

/** Durations without jitter: a fine-tuning job takes 32 minutes. */
export const EXACT_FINE_TUNING = { jitter: 0, validatingMs: MINUTE, queuedMs: MINUTE, runningMs: 30 * MINUTE };

export interface Rig extends AsyncDisposable {
  readonly api: LocalApi;
  readonly client: OpenAI;
  readonly clock: ManualClock;
}

/** Starts a local API on a manual clock, with the official client without retries. */
export async function startRig(options: Omit<LocalApiOptions, 'clock'> = {}): Promise<Rig> {
  const clock = new ManualClock();
  const api = await LocalApi.start({ clock, ...options });
  const client = new OpenAI({ baseURL: api.url, apiKey: api.apiKey, maxRetries: 0 });
  return { api, client, clock, [Symbol.asyncDispose]: () => api.close() };
}

export interface RequestLine {
  readonly custom_id: string;
  readonly method: string;
  readonly url: string;
  readonly body: Record<string, unknown>;
}

/** A chat request. @param user asks for a fault of the line */
export function chatLine(index: number, user?: string): RequestLine {
  return {
    custom_id: `request-${index}`,
    method: 'POST',
    url: '/v1/chat/completions',
    body: {
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content: `What is ${index} plus one?` }],
      ...(user === undefined ? {} : { user }),
    },
  };
}

export const chatLines = (count: number): RequestLine[] => Array.from({ length: count }, (_, i) => chatLine(i));

export const jsonl = (lines: readonly unknown[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

export async function upload(
  client: OpenAI,
  text: string,
  purpose: OpenAI.FilePurpose = 'batch',
  name = 'input.jsonl',
): Promise<OpenAI.FileObject> {
  return client.files.create({ file: await toFile(Buffer.from(text), name), purpose });
}

export async function createBatch(
  client: OpenAI,
  lines: readonly unknown[],
  more: Partial<OpenAI.BatchCreateParams> = {},
): Promise<OpenAI.Batch> {
  const file = await upload(client, jsonl(lines));
  return client.batches.create({
    input_file_id: file.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
    ...more,
  });
}

export interface ResultLine {
  readonly id: string;
  readonly custom_id: string;
  readonly response: { status_code: number; request_id: string; body: Record<string, unknown> } | null;
  readonly error: { code: string | null; message: string | null } | null;
}

/** The lines of a result file; none for a batch without the file. */
export async function resultLines(client: OpenAI, fileId: string | null | undefined): Promise<ResultLine[]> {
  if (!fileId) return [];
  const text = await (await client.files.content(fileId)).text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ResultLine);
}

/** The error with which a promise rejects. @throws if it does not */
export async function rejection(promise: PromiseLike<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  try {
    await promise;
  } catch (error) {
    return error as InstanceType<typeof OpenAI.APIError>;
  }
  throw new Error('expected the promise to reject');
}
