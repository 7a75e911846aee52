/**
 * Lists of the API. The SDK's iterator treats a reply that is not a list as an empty list. Here an empty list means
 * that a job was never created, so pages are read strictly.
 */
import { z } from 'zod';
import { safeParse } from '../contract/safe-parse.js';
import { wireNonEmpty } from './objects/wire.js';

/** A page of a list. Together sends a bare array, and some servers send `data: null` for an empty one. */
export const pageSchema = z.union([
  z.array(z.unknown()).transform((data) => ({ data, has_more: false as boolean | null | undefined })),
  z.object({
    data: z
      .array(z.unknown())
      .nullable()
      .transform((data) => data ?? []),
    has_more: z.boolean().nullish(),
  }),
]);
export type ListPage = z.output<typeof pageSchema>;

const withId = z.object({ id: wireNonEmpty });

/** Most pages of a list that are read at a time: 200,000 jobs. A longer list is one without an end. */
export const MAX_PAGES = 2_000;

/** A list that is still not read to its end after {@link MAX_PAGES} pages. */
export class EndlessListError extends Error {
  override readonly name = 'EndlessListError';

  constructor() {
    super(`the list has no end: ${MAX_PAGES} pages were read, and each one promised another`);
  }
}

/**
 * Every object of a list, page after page. The list ends where the provider says so, at an empty page, and at a page
 * that was already read, since not every provider supports `after`.
 *
 * @param start the id after which the list begins
 * @throws EndlessListError
 */
export async function* eachObject(
  readPage: (query: { readonly after?: string }) => Promise<ListPage>,
  start?: string | null,
): AsyncGenerator {
  const cursors = new Set<string>();
  let query: { after?: string } = start ? { after: start } : {};
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { data, has_more: hasMore } = await readPage(query);
    const after = safeParse(withId, data.at(-1)).data?.id;
    if (after !== undefined && cursors.has(after)) return;
    yield* data;
    if (hasMore === false || after === undefined) return;
    cursors.add(after);
    query = { after };
  }
  throw new EndlessListError();
}
