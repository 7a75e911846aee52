/**
 * Lists of the API. The SDK's iterator treats a reply that is not a list as an empty list. Here an empty list means
 * that a job was never created, so pages are read strictly.
 */
import { z } from 'zod';

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

const withId = z.object({ id: z.string().min(1) });

/** A longer list is taken for one without an end. It holds a million jobs, at 100 a page. */
const MAX_PAGES = 10_000;

/**
 * Every object of a list, page after page. The list ends where the provider says so, at an empty page, and at a page
 * that was already read, since not every provider supports `after`.
 *
 * @throws Error after 10,000 pages
 */
export async function* eachObject(readPage: (query: { readonly after?: string }) => Promise<ListPage>): AsyncGenerator {
  const cursors = new Set<string>();
  let query: { after?: string } = {};
  while (true) {
    const { data, has_more: hasMore } = await readPage(query);
    const after = withId.safeParse(data.at(-1)).data?.id;
    if (after !== undefined && cursors.has(after)) return;
    yield* data;
    if (hasMore === false || after === undefined) return;
    if (cursors.size + 1 >= MAX_PAGES) throw new Error(`the provider's list has no end after ${MAX_PAGES} pages`);
    cursors.add(after);
    query = { after };
  }
}
