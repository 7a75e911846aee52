import type { Operation } from '../../provider/error-table.js';
import { eachObject, pageSchema } from '../../provider/pages.js';
import type { ProviderApi } from './provider-api.js';

/**
 * Every object of a list at the provider, page after page.
 *
 * @throws ApplicationFailure as the table of errors says; a page that cannot be read is retried
 */
export function listAll(
  api: ProviderApi,
  operation: Operation,
  path: string,
  query: Readonly<Record<string, unknown>>,
): AsyncGenerator {
  return eachObject((after) =>
    api.call(operation, pageSchema, (client) => client.get(path, { query: { ...query, ...after } })),
  );
}
