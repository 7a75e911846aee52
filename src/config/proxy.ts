/** Requests to providers through a proxy, also on versions of Node whose `fetch` knows none. */
import type { Environment } from './load-file.js';

/** A variable in small letters comes first, as for curl. */
const variable = (environment: Environment, name: string): string =>
  environment[name.toLowerCase()]?.trim() || environment[name]?.trim() || '';

/**
 * A `fetch` that sends through the proxy; undefined where there is none, and Node's own is used.
 *
 * @param proxy URL of the proxy, false for none, or undefined for that of the environment. NO_PROXY applies to both
 */
export async function proxyFetch(
  proxy: string | false | undefined,
  environment: Environment,
): Promise<typeof globalThis.fetch | undefined> {
  const httpProxy = proxy ?? variable(environment, 'HTTP_PROXY');
  const httpsProxy = proxy ?? variable(environment, 'HTTPS_PROXY');
  if (httpProxy === false || httpsProxy === false || (httpProxy === '' && httpsProxy === '')) return undefined;
  // Its own `fetch`, since a dispatcher of one version does not fit the `fetch` of every other.
  const { EnvHttpProxyAgent, fetch: fetchOfUndici } = await import('undici');
  const noProxy = variable(environment, 'NO_PROXY');
  const dispatcher = new EnvHttpProxyAgent({ httpProxy, httpsProxy, noProxy });
  const send = (input: unknown, init: object = {}) => fetchOfUndici(input as string, { ...init, dispatcher });
  return send;
}

/** How the proxy is shown; null for none. */
export function shownProxy(proxy: string | false | undefined, environment: Environment): string | null {
  const url = proxy ?? (variable(environment, 'HTTPS_PROXY') || variable(environment, 'HTTP_PROXY'));
  return url && URL.canParse(url) ? new URL(url).host : null;
}
