import { ApiError, checkRange } from '../api-error.js';
import { isObject } from '../body-params.js';
import type { ApiCall } from './endpoint.js';

/** One page of a list, as the API sends it. */
export interface ListPage<T> {
  readonly object: 'list';
  readonly data: readonly T[];
  readonly first_id: string | null;
  readonly last_id: string | null;
  readonly has_more: boolean;
}

interface PageBounds {
  /** For a query without a limit. */
  readonly defaultLimit: number;
  readonly maxLimit: number;
}

interface PageQuery {
  readonly limit: number;
  /** The id of the last item of the page before. */
  readonly after: string | undefined;
}

/** Reads `limit` and `after` of a query. @throws the API's 400 for a limit outside the bounds */
export function readPageQuery({ query }: ApiCall, bounds: PageBounds): PageQuery {
  const limit = query.limit === undefined ? bounds.defaultLimit : Number(query.limit);
  if (!Number.isInteger(limit)) {
    throw new ApiError(400, `Invalid type for 'limit': expected an integer, but got '${query.limit}' instead.`, {
      param: 'limit',
      code: 'invalid_type',
    });
  }
  checkRange('limit', limit, 1, bounds.maxLimit);
  return { limit, after: query.after };
}

/** Cuts one page out of the whole list. @throws the API's 400 if `after` names no item of the list */
export function pageOf<T extends { readonly id: string }>(
  items: readonly T[],
  { limit, after }: PageQuery,
): ListPage<T> {
  let start = 0;
  if (after !== undefined) {
    start = items.findIndex((item) => item.id === after) + 1;
    if (start === 0) {
      throw new ApiError(400, `Invalid 'after': no object with id '${after}'.`, { param: 'after' });
    }
  }
  const data = items.slice(start, start + limit);
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: start + data.length < items.length,
  };
}

/** Whether a list can hold the object: a scenario may change all of an object, its id too. */
export function isListable(value: unknown): value is { id: string } {
  return isObject(value) && typeof value.id === 'string';
}
