/** What the commands do that ask the provider. */
import OpenAI from 'openai';
import { findOrphans } from '../orphans/find-orphans.js';
import { httpStatusOf } from '../provider/reply.js';
import { redact } from '../provider/redact.js';
import { rotateWebhookSecret, setUpWebhook, testWebhook } from '../webhooks/set-up-webhook.js';
import { CommandError, EXIT_CODES, type Io } from './io.js';
import { ago, table } from './progress-text.js';
import { inSession, type CommonOptions } from './run-actions.js';

const DAY_MS = 86_400_000;

export interface OrphansOptions extends CommonOptions {
  readonly cancel?: boolean;
  readonly days: number;
}

export interface WebhookOptions {
  readonly json?: boolean;
}

export async function orphans(io: Io, options: OrphansOptions): Promise<void> {
  if (!(options.days > 0)) throw new CommandError(EXIT_CODES.usage, '--days must be above 0', 'Such as --days 7');
  const openai = account();
  await inSession(options, async ({ jobs }) => {
    const since = new Date(Date.now() - options.days * DAY_MS);
    const cancel = options.cancel === true;
    const found = await asked(() => findOrphans({ temporal: jobs.client, openai, since, cancel }));
    if (options.json) {
      io.out(JSON.stringify(found));
    } else if (found.length === 0) {
      io.err('Every job of this namespace is followed by its run.');
    } else {
      const now = Date.now() / 1_000;
      const rows = found.map(({ jobId, status, createdAt, owner, reason, runStatus, isCancelled }) => [
        jobId,
        isCancelled ? 'cancelled' : status,
        createdAt === null ? '' : ago(now - createdAt),
        owner.workflowId,
        reason === 'duplicate' ? 'follows another job' : runStatus.toLowerCase(),
      ]);
      for (const line of table(['JOB', 'STATUS', 'CREATED', 'WORKFLOW ID', 'RUN'], rows)) io.out(line);
      if (!cancel) io.err('Nothing was cancelled. To cancel them: llm-jobs orphans --cancel');
    }
  });
}

export async function setup(io: Io, url: string, options: WebhookOptions): Promise<void> {
  const made = await asked(() => setUpWebhook(account(), url));
  if (options.json) return io.out(JSON.stringify(made));
  const { id, secret, isUpdated } = made;
  if (secret === null) return io.out(`${id} was there before${isUpdated ? '; its events were changed' : ''}`);
  io.out(`${id} was created`);
  io.out(`OPENAI_WEBHOOK_SECRET=${secret}`);
  io.err(`The secret is not shown again. Give it to the worker, then: llm-jobs webhooks test ${id}`);
}

export async function test(io: Io, id: string, options: WebhookOptions): Promise<void> {
  const tested = await asked(() => testWebhook(account(), id));
  if (options.json) io.out(JSON.stringify(tested));
  else io.out(`The endpoint answered ${tested.statusCode}`);
  if (tested.isAccepted) return;
  const next = 'A handler that has the right secret answers 2xx: see OPENAI_WEBHOOK_SECRET';
  throw new CommandError(EXIT_CODES.refused, 'the sample was not accepted', next);
}

export async function rotate(io: Io, id: string, options: WebhookOptions): Promise<void> {
  const rotated = await asked(() => rotateWebhookSecret(account(), id));
  if (options.json) return io.out(JSON.stringify(rotated));
  io.out(`OPENAI_WEBHOOK_SECRET=${rotated.secret}`);
  io.err('The secret is not shown again. Give the worker both, separated by a comma, and this one alone in a day.');
}

/** By the variables that the openai package reads. */
function account(): OpenAI {
  if (process.env.OPENAI_API_KEY?.trim()) return new OpenAI({ logLevel: 'off' });
  throw new CommandError(EXIT_CODES.usage, 'OPENAI_API_KEY is not set', 'Set it to a key of the account.');
}

/** @throws CommandError if the provider refuses or does not answer; the message never contains the key */
async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const { OPENAI_API_KEY: key = '', OPENAI_BASE_URL: url = 'https://api.openai.com/v1' } = process.env;
    const message = redact(error instanceof Error ? error.message : String(error), [key.trim()].filter(Boolean));
    const next = `The account is that of OPENAI_API_KEY at ${url}`;
    throw new CommandError(
      httpStatusOf(error) === null ? EXIT_CODES.unreachable : EXIT_CODES.refused,
      message,
      next,
      error,
    );
  }
}
