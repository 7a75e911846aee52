/** What the commands do that ask the provider. */
import { findOrphans, type Orphan } from '../orphans/find-orphans.js';
import { rotateWebhookSecret, setUpWebhook, testWebhook } from '../webhooks/set-up-webhook.js';
import { accountOf, accountsOf, asked, type AccountOptions } from './ask-account.js';
import { CommandError, EXIT_CODES, type Io } from './io.js';
import { ago, table } from './progress-text.js';
import { inSession, type CommonOptions } from './run-actions.js';

const DAY_MS = 86_400_000;

export interface OrphansOptions extends CommonOptions {
  /** The account to search. @default all of them */
  readonly provider?: string;
  readonly cancel?: boolean;
  readonly days: number;
}

export interface WebhookOptions extends AccountOptions {
  readonly json?: boolean;
}

export async function orphans(io: Io, options: OrphansOptions): Promise<void> {
  if (!(options.days > 0)) throw new CommandError(EXIT_CODES.usage, '--days must be above 0', 'Such as --days 7');
  const accounts = await accountsOf(options, options.provider);
  await inSession(options, async ({ jobs }) => {
    const since = new Date(Date.now() - options.days * DAY_MS);
    const cancel = options.cancel === true;
    const found: FoundOrphan[] = [];
    for (const account of accounts) {
      const ofAccount = await asked(account, (openai) => findOrphans({ temporal: jobs.client, openai, since, cancel }));
      found.push(...ofAccount.map((orphan) => ({ provider: account.account.name, ...orphan })));
    }
    if (options.json) {
      io.out(JSON.stringify(found));
    } else if (found.length === 0) {
      io.err('Every job of this namespace is followed by its run.');
    } else {
      for (const line of orphansText(found, accounts.length > 1)) io.out(line);
      if (!cancel) io.err('Nothing was cancelled. To cancel them: llm-jobs orphans --cancel');
    }
  });
}

type FoundOrphan = Orphan & { readonly provider: string };

/** @param isNamed whether the account of each is shown */
function orphansText(found: readonly FoundOrphan[], isNamed: boolean): string[] {
  const now = Date.now() / 1_000;
  const rows = found.map(({ provider, jobId, status, createdAt, owner, reason, runStatus, isCancelled }) => [
    ...(isNamed ? [provider] : []),
    jobId,
    isCancelled ? 'cancelled' : status,
    createdAt === null ? '' : ago(now - createdAt),
    owner.workflowId,
    reason === 'duplicate' ? 'follows another job' : runStatus.toLowerCase(),
  ]);
  return table([...(isNamed ? ['PROVIDER'] : []), 'JOB', 'STATUS', 'CREATED', 'WORKFLOW ID', 'RUN'], rows);
}

export async function setup(io: Io, url: string, options: WebhookOptions): Promise<void> {
  const made = await asked(await accountOf(options), (openai) => setUpWebhook(openai, url));
  if (options.json) return io.out(JSON.stringify(made));
  const { id, secret, isUpdated } = made;
  if (secret === null) return io.out(`${id} was there before${isUpdated ? '; its events were changed' : ''}`);
  io.out(`${id} was created`);
  io.out(`OPENAI_WEBHOOK_SECRET=${secret}`);
  io.err(`The secret is not shown again. Give it to the worker, then: llm-jobs webhooks test ${id}`);
}

export async function test(io: Io, id: string, options: WebhookOptions): Promise<void> {
  const tested = await asked(await accountOf(options), (openai) => testWebhook(openai, id));
  if (options.json) io.out(JSON.stringify(tested));
  else io.out(`The endpoint answered ${tested.statusCode}`);
  if (tested.isAccepted) return;
  const next = 'A handler that has the right secret answers 2xx: see OPENAI_WEBHOOK_SECRET';
  throw new CommandError(EXIT_CODES.refused, 'the sample was not accepted', next);
}

export async function rotate(io: Io, id: string, options: WebhookOptions): Promise<void> {
  const rotated = await asked(await accountOf(options), (openai) => rotateWebhookSecret(openai, id));
  if (options.json) return io.out(JSON.stringify(rotated));
  io.out(`OPENAI_WEBHOOK_SECRET=${rotated.secret}`);
  io.err('The secret is not shown again. Give the worker both, separated by a comma, and this one alone in a day.');
}
