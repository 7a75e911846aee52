import { ApiError } from '../api-error.js';

/** A page of a list, as the API sends it. */
export interface ListPage<T> {
  readonly object: 'list';
  readonly data: T[];
  readonly first_id: string | null;
  readonly last_id: string | null;
  readonly has_more: boolean;
}

export interface PageBounds {
  /** Used when the query has none. */
  readonly defaultLimit: number;
  readonly maxLimit: number;
}

/** Reads `limit` and `after` of a query. A limit outside the bounds is a 400, as in the API. */
export function readPage(query: Record<string, string | undefined>, bounds: PageBounds): PageRequest {
  const raw = query.limit;
  const limit = raw === undefined ? bounds.defaultLimit : Number(raw);
  if (!Number.isInteger(limit)) {
    throw new ApiError(400, `Invalid type for 'limit': expected an integer, but got '${raw}' instead.`, {
      param: 'limit',
      code: 'invalid_type',
    });
  }
  if (limit < 1 || limit > bounds.maxLimit) {
    const below = limit < 1;
    throw new ApiError(
      400,
      `Invalid 'limit': integer ${below ? 'below minimum' : 'above maximum'} value. Expected a value ${below ? '>= 1' : `<= ${bounds.maxLimit}`}, but got ${limit} instead.`,
      { param: 'limit', code: below ? 'integer_below_min_value' : 'integer_above_max_value' },
    );
  }
  return { limit, after: query.after };
}

export interface PageRequest {
  readonly limit: number;
  readonly after: string | undefined;
}

/** Cuts one page out of the whole list. `after` must name an item of it. */
export function pageOf<T extends { id: string }>(items: readonly T[], request: PageRequest): ListPage<T> {
  let start = 0;
  if (request.after !== undefined) {
    start = items.findIndex((item) => item.id === request.after) + 1;
    if (start === 0) {
      throw new ApiError(400, `Invalid 'after': no object with id '${request.after}'.`, { param: 'after' });
    }
  }
  const data = items.slice(start, start + request.limit);
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: start + data.length < items.length,
  };
}
