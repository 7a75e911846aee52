import type OpenAI from 'openai';
import type { AzureOpenAI } from 'openai';
import { guardedFetch } from './guarded-fetch.js';
import type { OpenAIClient } from './openai-client.js';

/** Longest time-out of a request without a file. It is shorter than the start-to-close time-outs of the activities. */
const MAX_TIMEOUT_MS = 60_000;

/**
 * A copy of the client that waits one minute at most and sends through `guardedFetch`. `withOptions` of
 * `AzureOpenAI` drops the API version and then throws for lack of it, so it is passed again.
 *
 * @param maxRetries how often the client itself sends a request again; none in activities, which Temporal retries
 */
export function guardedClient(client: OpenAIClient, maxRetries = 0): OpenAI {
  const { apiVersion, deploymentName } = client as Partial<Pick<AzureOpenAI, 'apiVersion' | 'deploymentName'>>;
  const azure = apiVersion ? { apiVersion, deployment: deploymentName } : {};
  const options = {
    maxRetries,
    timeout: Math.min(client.timeout, MAX_TIMEOUT_MS),
    fetch: guardedFetch(fetchOf(client)),
    ...azure,
  };
  // The same class, whichever of its two declarations the caller's project sees.
  return client.withOptions(options) as OpenAI;
}

/** The `fetch` that the client was given, which the SDK's types call private. */
function fetchOf(client: OpenAIClient): typeof fetch {
  const own = (client as { readonly fetch?: unknown }).fetch;
  return typeof own === 'function' ? (own as typeof fetch) : fetch;
}
