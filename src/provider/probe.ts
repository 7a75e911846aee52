import { safeParse } from '../contract/safe-parse.js';
import { pageSchema } from './pages.js';
import type { Provider, Providers } from './providers.js';
import { toApiError } from './sdk-error.js';

/** A worker tells what is wrong soon after its start or not at all. */
const TIMEOUT_MS = 15_000;

/**
 * Asks a provider for one batch, which costs nothing, and says in one line what is wrong: a key that is refused, an API
 * that does not answer, an address of something else. Null where nothing is known to be wrong; a provider need not have
 * batches.
 */
async function probe(provider: Provider, secrets: readonly string[]): Promise<string | null> {
  const name = `the API of provider "${provider.name}"`;
  try {
    const reply = await provider.client.get('/batches', { query: { limit: 1 }, timeout: TIMEOUT_MS });
    return safeParse(pageSchema, reply).success
      ? null
      : `${name} does not answer like the OpenAI API; check its base URL`;
  } catch (error) {
    const refusal = toApiError(error, secrets);
    if (refusal === null || refusal.status === 429) return null;
    const { status, message } = refusal;
    if (status === null || status >= 500) return `${name} does not answer: ${message}`;
    if (status === 401 || status === 403) return `${name} refuses the key: ${message}`;
    return status < 400 ? `${name} redirects: ${message}` : null;
  }
}

/** Probes all providers and passes on what is wrong. Never rejects. */
export async function warnOfProviders(providers: Providers, warn: (message: string) => void): Promise<void> {
  await Promise.all(
    providers.all.map(async (provider) => {
      const problem = await probe(provider, providers.secrets());
      if (problem !== null) warn(problem);
    }),
  );
}
