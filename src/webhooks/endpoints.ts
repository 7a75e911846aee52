/**
 * The provider's side of webhooks: `/webhook_endpoints`, which openai 7.19 and later have methods for. The paths are
 * called by name, so that every version of the client will do.
 */
import { z } from 'zod';
import { safeParse } from '../contract/safe-parse.js';
import type { OpenAIClient } from '../provider/openai-client.js';
import { eachObject, pageSchema } from '../provider/pages.js';

export const PATH = '/webhook_endpoints';
const PAGE_SIZE = 100;

const endpointSchema = z.object({
  id: z.string().regex(/^[\w-]{1,256}$/),
  name: z.string().nullish(),
  url: z.string(),
  event_types: z.array(z.string()).nullish(),
  created_at: z.number().nullish(),
});
export type WebhookEndpoint = z.output<typeof endpointSchema>;

/** An answer that tells the secret. */
export const newSecretSchema = z.object({
  id: endpointSchema.shape.id,
  signing_secret: z.string().min(1),
  created_at: endpointSchema.shape.created_at,
});

/** All endpoints of an address, the oldest first. */
export async function endpointsOf(client: OpenAIClient, url: string): Promise<WebhookEndpoint[]> {
  const { href } = new URL(url);
  const endpoints: WebhookEndpoint[] = [];
  const objects = eachObject(async (after) =>
    pageSchema.parse(await client.get(PATH, { query: { limit: PAGE_SIZE, ...after } })),
  );
  for await (const object of objects) {
    const { data } = safeParse(endpointSchema, object);
    if (data && URL.canParse(data.url) && new URL(data.url).href === href) endpoints.push(data);
  }
  return endpoints.toSorted(byAge);
}

/** An order that is the same for all who read the list. Ids decide within a second. */
export function byAge(a: WebhookEndpoint, b: WebhookEndpoint): number {
  return (a.created_at ?? 0) - (b.created_at ?? 0) || (a.id < b.id ? -1 : 1);
}

export function isSameSet(some: readonly string[], others: readonly string[]): boolean {
  const set = new Set(some);
  return set.size === new Set(others).size && others.every((value) => set.has(value));
}
