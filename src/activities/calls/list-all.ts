import { failure } from '../../contract/failures.js';
import type { Operation } from '../../provider/error-table.js';
import { EndlessListError, eachObject, pageSchema } from '../../provider/pages.js';
import { dateOf } from '../../provider/retry-after.js';
import type { ProviderApi } from './provider-api.js';

export interface ListOptions {
  /** The id after which the list begins; null for its first page. */
  readonly after?: string | null;
  /** Called with the provider's time before the objects of each page, in epoch seconds, where its replies tell it. */
  readonly onTime?: (providerTime: number) => void;
}

/**
 * Every object of a list at the provider, page after page.
 *
 * @throws ApplicationFailure as the table of errors says; a page that cannot be read is retried, a list without an end
 *   is not
 */
export async function* listAll(
  api: ProviderApi,
  operation: Operation,
  path: string,
  query: Readonly<Record<string, unknown>>,
  { after: start, onTime }: ListOptions = {},
): AsyncGenerator {
  const readPage = (after: { readonly after?: string }) =>
    api.call(operation, pageSchema, async (client) => {
      const { data, response } = await client.get(path, { query: { ...query, ...after } }).withResponse();
      const time = dateOf(response.headers);
      if (time !== null) onTime?.(Math.floor(time / 1_000));
      return data;
    });
  try {
    yield* eachObject(readPage, start);
  } catch (error) {
    if (!(error instanceof EndlessListError)) throw error;
    const details = { operation, status: null, code: 'endless_list', type: null, param: null, requestId: null };
    throw failure('ApiRefused', `${operation}: ${error.message}`, details);
  }
}
