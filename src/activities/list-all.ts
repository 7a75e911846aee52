/**
 * Lists at the provider, all pages. The SDK's own iterator takes whatever is not a list for an empty one, and an empty one means here that a
 * job was never created. So a page is read strictly, and one that cannot be read is a passing error.
 */
import { z } from 'zod';
import type { Operation } from '../jobs/api-errors.js';
import { readReply, type Api } from './api.js';

/** A list, also a bare array (Together), and `data: null` for none, as some languages write it. */
const pageSchema = z.union([
  z.array(z.unknown()).transform((data) => ({ data, has_more: false as boolean | null | undefined })),
  z.object({
    data: z
      .array(z.unknown())
      .nullable()
      .transform((data) => data ?? []),
    has_more: z.boolean().nullish(),
  }),
]);

const withId = z.object({ id: z.string().min(1) });

/**
 * Every object of a list, page after page. It ends where the provider says so, where a page is empty, and where a page was there before:
 * not every provider heeds `after`.
 *
 * @throws ApplicationFailure as the table of errors says
 */
export async function* listAll(
  api: Api,
  operation: Operation,
  path: string,
  query: Readonly<Record<string, unknown>>,
): AsyncGenerator {
  const cursors = new Set<string>();
  let after: string | undefined;
  for (;;) {
    const reply = await api.call(operation, (client) =>
      client.get(path, { query: { ...query, ...(after !== undefined && { after }) } }),
    );
    const page = readReply(operation, pageSchema, reply);
    const next = withId.safeParse(page.data.at(-1)).data?.id;
    if (next !== undefined && cursors.has(next)) return;
    yield* page.data;
    if (page.has_more === false || next === undefined) return;
    cursors.add(next);
    after = next;
  }
}
