/** What `llm-jobs setup` does. */
import { isGrpcServiceError } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.js';
import { registerSearchAttributes, type Registration } from '../temporal/search-attributes.js';
import { CommandError, EXIT_CODES, type Io } from './io.js';
import { inSession, type CommonOptions } from './run-actions.js';
import { linkOf, SAVED_VIEWS, uiOf } from './saved-views.js';
import type { Session } from './session.js';

export interface SetupOptions extends CommonOptions {
  readonly ui?: string;
}

export async function setup(io: Io, options: SetupOptions): Promise<void> {
  await inSession(options, async (session) => {
    const { client } = session.jobs;
    const { namespace } = client.options;
    const registration = await registered(session);
    const ui = options.ui ?? uiOf(session.address);
    const views = SAVED_VIEWS.map((view) => ({ ...view, link: linkOf(view, ui, namespace) }));
    if (options.json) return io.out(JSON.stringify({ namespace, ...registration, views }));
    const { added, kept, isTakenUp } = registration;
    if (added.length > 0) io.out(`Added to the namespace "${namespace}": ${added.join(', ')}`);
    if (kept.length > 0) io.out(`There before: ${kept.join(', ')}`);
    io.out(
      'Runs that are started from now on have them. Open these links once: the Temporal UI saves each list as a view, in that browser.',
    );
    for (const { name, query, link } of views) for (const line of ['', name, `  ${query}`, `  ${link}`]) io.out(line);
    if (ui === null) io.err('To get whole links: --ui with the address of the Temporal UI.');
    if (!isTakenUp) io.err('The server does not take them yet. Starts have them within a minute or so.');
  });
}

/** @throws CommandError if the server refuses, or has them with other types */
async function registered({ jobs: { client } }: Session): Promise<Registration> {
  try {
    const registration = await registerSearchAttributes(client);
    const { conflicts } = registration;
    if (conflicts.length === 0) return registration;
    const message = `the namespace "${client.options.namespace}" has ${conflicts.join(', ')} with another type`;
    const next = 'Nothing was added. Remove what is there, or go without: runs do not need search attributes.';
    throw new CommandError(EXIT_CODES.refused, message, next);
  } catch (error) {
    if (error instanceof CommandError || !isGrpcServiceError(error)) throw error;
    const names = Object.values(SEARCH_ATTRIBUTES).map(({ name }) => name);
    const next =
      `Temporal Cloud has no such call for clients: add ${names.join(', ')} with the type Keyword on the page of the ` +
      'namespace, or with tcld namespace search-attributes add. Then repeat the command for the links.';
    throw new CommandError(EXIT_CODES.refused, `the server refused: ${error.details}`, next, error);
  }
}
