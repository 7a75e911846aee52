/** Clients of accounts. */
import OpenAI, { AzureOpenAI } from 'openai';
import type { ProviderOptions } from '../provider/providers.js';
import type { Account } from './accounts.js';

type Fetch = typeof fetch;

/**
 * A client that reads its key at each request. The package's own variables do not reach it, since they belong to one
 * account.
 */
export function clientOf(account: Account, fetch?: Fetch): OpenAI {
  const { url: baseURL, key, keyKind, apiVersion, organization, project, headers, timeoutMs, isByVariables } = account;
  const send = keyKind === 'azureKey' ? withKeyOfAzure(fetch ?? globalThis.fetch) : fetch;
  const options = {
    baseURL,
    organization,
    project,
    adminAPIKey: null,
    webhookSecret: null,
    timeout: timeoutMs,
    logLevel: 'off' as const,
    defaultHeaders: { ...(isByVariables ? {} : withoutCustomHeaders()), ...headers },
    ...(send && { fetch: send }),
  };
  if (apiVersion === null) return new OpenAI({ ...options, apiKey: key.read });
  return new AzureOpenAI({ ...options, apiVersion, azureADTokenProvider: key.read });
}

/** The package adds the headers of its variable to every client. */
function withoutCustomHeaders(): Record<string, null> {
  const lines = (process.env.OPENAI_CUSTOM_HEADERS ?? '').split('\n').filter((line) => line.includes(':'));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).trim(), null]));
}

/** A client takes only a token from a function. A key of Azure is sent in the header for keys. */
function withKeyOfAzure(fetch: Fetch): Fetch {
  return (input, init = {}) => {
    const headers = new Headers(init.headers);
    const key = /^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1];
    if (key !== undefined) {
      headers.delete('authorization');
      headers.set('api-key', key);
    }
    return fetch(input, { ...init, headers });
  };
}

/** The account as the activities use it. */
export function providerOf(account: Account, fetch?: Fetch): ProviderOptions {
  const { traits, batchLimits, secrets } = account;
  return { client: clientOf(account, fetch), ...traits, batchLimits, secrets };
}
