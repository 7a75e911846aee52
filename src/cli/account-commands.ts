/** `llm-jobs orphans`, `adopt` and `webhooks`: their arguments. They ask the provider. */
import { Command } from 'commander';
import type { OrphansOptions, WebhookOptions } from './account-actions.js';
import type { AdoptOptions } from './adopt-action.js';
import { run, type Io } from './io.js';
import { command, configOption } from './run-commands.js';

// Loaded on demand, as the openai package.
const actions = () => import('./account-actions.js');

const ACCOUNT_HELP = `
The accounts are those of the workers' configuration. Without one, OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_ORG_ID and
OPENAI_PROJECT_ID name the account.`;

export function accountCommands(io: Io): Command[] {
  const orphans = command(
    'orphans',
    'List jobs at the provider that no run follows. Nothing is cancelled without --cancel.',
  )
    .option('--provider <account>', 'the account to search (default: all of them)')
    .option('--cancel', 'cancel them at the provider')
    .option('--days <count>', 'how far to look back', Number, 30)
    .addHelpText('after', ACCOUNT_HELP)
    .action((options: OrphansOptions) => run(io, async () => (await actions()).orphans(io, options)));
  return [orphans, adoptCommand(io), webhookCommands(io)];
}

const ADOPT_HELP = `
The workers follow the batch, also while this command is stopped. The same command joins them again.`;

function adoptCommand(io: Io): Command {
  return command(
    'adopt',
    'Follow a batch that was created elsewhere to its end, and bring its results into the storage.',
  )
    .argument('<batch-id>', 'id of the batch at the provider')
    .option('--provider <account>', 'the account that has the batch (default: "default")')
    .addHelpText('after', ADOPT_HELP + ACCOUNT_HELP)
    .action((batchId: string, options: AdoptOptions) =>
      run(io, async () => (await import('./adopt-action.js')).adopt(io, batchId, options)),
    );
}

const json = (each: Command): Command =>
  each
    .option('--provider <account>', 'the account (default: "default")')
    .addOption(configOption())
    .option('--json', 'print JSON')
    .addHelpText('after', ACCOUNT_HELP);

function webhookCommands(io: Io): Command {
  return new Command('webhooks')
    .description('Set up the endpoint to which the provider sends the ends of jobs.')
    .addCommand(
      json(new Command('setup'))
        .description('Create the endpoint of an address, or keep the one that is there. Prints a new secret once.')
        .argument('<url>', 'where the handler is reached from outside, by HTTPS')
        .action((url: string, options: WebhookOptions) =>
          run(io, async () => (await actions()).setup(io, url, options)),
        ),
    )
    .addCommand(
      json(new Command('test'))
        .description('Have the provider send a sample.')
        .argument('<endpoint-id>', 'as setup printed it')
        .action((id: string, options: WebhookOptions) => run(io, async () => (await actions()).test(io, id, options))),
    )
    .addCommand(
      json(new Command('rotate'))
        .description('Give the endpoint a new secret, which is printed once. The old one works for 24 hours more.')
        .argument('<endpoint-id>', 'as setup printed it')
        .action((id: string, options: WebhookOptions) =>
          run(io, async () => (await actions()).rotate(io, id, options)),
        ),
    );
}
