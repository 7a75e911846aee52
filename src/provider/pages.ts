/**
 * Lists of the API. The SDK's own iterator takes whatever is not a list for an empty one, and an empty one means here that a job was never
 * created. So a page is read strictly.
 */
import { z } from 'zod';

/** A page of a list; also a bare array (Together), and `data: null` for none, as some languages write it. */
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

/**
 * Every object of a list, page after page. It ends where the provider says so, where a page is empty, and where a page was there before:
 * not every provider heeds `after`.
 */
export async function* eachObject(page: (query: { readonly after?: string }) => Promise<ListPage>): AsyncGenerator {
  const cursors = new Set<string>();
  let query: { after?: string } = {};
  for (;;) {
    const { data, has_more: hasMore } = await page(query);
    const after = withId.safeParse(data.at(-1)).data?.id;
    if (after !== undefined && cursors.has(after)) return;
    yield* data;
    if (hasMore === false || after === undefined) return;
    cursors.add(after);
    query = { after };
  }
}
