import type OpenAI from 'openai';
import { safeParse } from '../contract/safe-parse.js';
import { pageSchema } from './pages.js';
import type { Provider, Providers } from './providers.js';
import { redact } from './redact.js';
import { errorWithoutReply, KEY_UNREADABLE, type ApiError } from './reply.js';
import { toApiError } from './sdk-error.js';

/** A worker tells what is wrong soon after its start or not at all. */
const TIMEOUT_MS = 15_000;

/**
 * - `works`: it has batches, and takes the key.
 * - `noBatches`: it has fine-tuning jobs alone.
 * - `noJobs`: it has neither, or its address is wrong.
 * - `otherApi`: something else answers at the address.
 * - `keyUnreadable`: the key could not be read, so nothing was asked.
 */
export type ProbeState = 'works' | 'noBatches' | 'noJobs' | 'otherApi' | 'keyRefused' | 'keyUnreadable' | 'unreachable';

export interface ProbeResult {
  readonly state: ProbeState;
  /** What was found, as the end of a sentence about the API. */
  readonly text: string;
}

const WORKS: ProbeResult = { state: 'works', text: 'works' };

/**
 * Asks a provider for one batch, or one fine-tuning job if it has no batches, which costs nothing.
 *
 * @param secrets what must not be in the text; called after the answer, since the client may have read its key for it
 */
export async function probe(client: OpenAI, secrets: () => readonly string[]): Promise<ProbeResult> {
  const ask = (path: string) => oneOf(client, path, secrets);
  const batches = await ask('/batches');
  if (!isMissing(batches)) return resultOf(batches);
  const jobs = await ask('/fine_tuning/jobs');
  if (jobs === null) return { state: 'noBatches', text: 'works for fine-tuning jobs, and has no batches endpoint' };
  const text = `has neither a batches endpoint nor fine-tuning jobs (${batches.status}); check its address`;
  return isMissing(jobs) ? { state: 'noJobs', text } : resultOf(jobs);
}

type Failed = ApiError | 'otherApi';

/** Null where a list came back. */
async function oneOf(client: OpenAI, path: string, secrets: () => readonly string[]): Promise<Failed | null> {
  try {
    const reply = await client.get(path, { query: { limit: 1 }, timeout: TIMEOUT_MS });
    return safeParse(pageSchema, reply).success ? null : 'otherApi';
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return toApiError(error, secrets()) ?? errorWithoutReply(redact(message, secrets()));
  }
}

const isMissing = (failed: Failed | null): failed is ApiError =>
  failed !== null && failed !== 'otherApi' && failed.status !== null && [404, 405, 501].includes(failed.status);

function resultOf(failed: Failed | null): ProbeResult {
  if (failed === null) return WORKS;
  if (failed === 'otherApi') {
    return { state: 'otherApi', text: 'does not answer like the OpenAI API; check its address' };
  }
  const { status, code, message } = failed;
  if (code === KEY_UNREADABLE) return { state: 'keyUnreadable', text: message };
  if (status === null || status >= 500) return { state: 'unreachable', text: `does not answer: ${message}` };
  if (status === 401 || status === 403) return { state: 'keyRefused', text: `refuses the key: ${message}` };
  if (status < 400) return { state: 'otherApi', text: `redirects: ${message}` };
  // Anything else, such as 429, comes from an API that knows the key.
  return { state: 'works', text: `works, and says at the moment: ${message}` };
}

/** Probes all providers and passes on what is wrong. Never rejects. */
export async function warnOfProviders(providers: Providers, warn: (message: string) => void): Promise<void> {
  const ask = async ({ name, client }: Provider) => {
    const { state, text } = await probe(client, () => providers.secrets());
    if (state !== 'works' && state !== 'noBatches') warn(`the API of provider "${name}" ${text}`);
  };
  await Promise.allSettled(providers.all.map(ask));
}
