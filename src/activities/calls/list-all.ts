/** Lists at the provider, all pages, in an activity. */
import type { Operation } from '../../provider/error-table.js';
import { eachObject, pageSchema } from '../../provider/pages.js';
import { parseReply, type ProviderApi } from './provider-api.js';

/**
 * Every object of a list, page after page.
 *
 * @throws ApplicationFailure as the table of errors says; a page that cannot be read is a passing error
 */
export function listAll(
  api: ProviderApi,
  operation: Operation,
  path: string,
  query: Readonly<Record<string, unknown>>,
): AsyncGenerator {
  return eachObject(async (after) => {
    const reply = await api.call(operation, (client) => client.get(path, { query: { ...query, ...after } }));
    return parseReply(operation, pageSchema, reply);
  });
}
