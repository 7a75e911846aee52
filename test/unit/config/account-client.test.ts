/** Accounts as they send: keys that are replaced, headers of Azure, proxies. */
import type { IncomingHttpHeaders } from 'node:http';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { clientOf, providerOf } from '../../../src/config/account-client.js';
import { proxyFetch } from '../../../src/config/proxy.js';
import type { WorkerConfig } from '../../../src/config/worker-config.js';
import { guardedClient } from '../../../src/provider/guarded-client.js';
import { probe } from '../../../src/provider/probe.js';
import { Providers } from '../../../src/provider/providers.js';
import { postFile } from '../../../src/provider/upload-form.js';
import { configFolder, type ConfigFolder } from '../../support/config-folder.js';
import { connectProxy } from '../../support/connect-proxy.js';
import { startRig } from '../../support/local-api.js';
import { serving } from '../../support/raw-server.js';

interface Sent {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** Runs with an API that lists nothing, and returns what it was sent. */
async function sentTo(use: (baseURL: string) => Promise<unknown>): Promise<Sent[]> {
  const sent: Sent[] = [];
  await serving(
    ({ url = '', headers }, response) => {
      sent.push({ url, headers });
      response.setHeader('content-type', 'application/json').end('{"data": [], "has_more": false}');
    },
    (baseURL) => use(baseURL),
  );
  return sent;
}

/** The client of the account `default`, as the activities use it. */
const clientFor = ({ accounts }: WorkerConfig) => guardedClient(clientOf(accounts[0]!));

const accountIn = (config: ConfigFolder, account: object) =>
  config.write('llm-jobs.config.json', { accounts: { default: account } });

describe('a key that is replaced while the worker runs', () => {
  test('in its file → the next request has the new one, and both are kept out of messages', async () => {
    await using config = await configFolder({ key: 'first-key-123' });
    const sent = await sentTo(async (baseURL) => {
      await accountIn(config, { preset: 'compatible', baseURL, apiKey: { file: 'key' } });
      const { accounts } = await config.read();
      const providers = new Providers({ default: providerOf(accounts[0]!) });
      const { client } = providers.get('default')!;
      await client.get('/batches');
      await config.write('key', 'second-key-456\n');
      await client.get('/batches');
      expect(providers.secrets()).toEqual(expect.arrayContaining(['first-key-123', 'second-key-456']));
    });
    expect(sent.map(({ headers }) => headers.authorization)).toEqual(['Bearer first-key-123', 'Bearer second-key-456']);
  });

  test('by a function of a TypeScript file → called at each request', async () => {
    await using config = await configFolder();
    const sent = await sentTo(async (baseURL) => {
      const source = `
        let calls = 0;
        const apiKey = async (): Promise<string> => \`key-\${(calls += 1)}\`;
        export default { accounts: { default: { preset: 'compatible', baseURL: '${baseURL}', apiKey } } };`;
      await config.write('llm-jobs.config.ts', source);
      const client = clientFor(await config.read());
      await client.get('/batches');
      await client.get('/batches');
    });
    expect(sent.map(({ headers }) => headers.authorization)).toEqual(['Bearer key-1', 'Bearer key-2']);
  });

  test('by nothing: its file is gone → nothing is sent, and the reason is told', async () => {
    await using config = await configFolder({ key: 'first-key-123' });
    const sent = await sentTo(async (baseURL) => {
      await accountIn(config, { preset: 'compatible', baseURL, apiKey: { file: 'key' } });
      const client = clientFor(await config.read());
      await rm(join(config.folder, 'key'));
      const { state, text } = await probe(client, () => []);
      expect(state).toBe('keyUnreadable');
      expect(text).toMatch(/^the API key cannot be read: cannot read .* \(ENOENT\)$/);
    });
    expect(sent).toEqual([]);
  });
});

describe('Azure', () => {
  const KEY = 'azure-key-0123456789';
  const sentBy = async (account: (endpoint: string) => string) => {
    await using config = await configFolder({ key: KEY });
    const [sent] = await sentTo(async (baseURL) => {
      const endpoint = baseURL.replace('/v1', '/');
      await config.write('llm-jobs.config.ts', `export default { accounts: { default: ${account(endpoint)} } };`);
      await clientFor(await config.read()).get('/batches');
    });
    const { url, headers } = sent!;
    return { url, key: headers['api-key'], authorization: headers.authorization };
  };

  test('a key, the v1 API → the header for keys', async () => {
    const sent = await sentBy((endpoint) => `{ preset: 'azure', endpoint: '${endpoint}', apiKey: { file: 'key' } }`);
    expect(sent).toEqual({ url: '/openai/v1/batches', key: KEY, authorization: undefined });
  });

  test('a key, an api-version → the older address', async () => {
    const sent = await sentBy(
      (endpoint) =>
        `{ preset: 'azure', endpoint: '${endpoint}', apiVersion: '2025-04-01-preview', apiKey: { file: 'key' } }`,
    );
    expect(sent).toEqual({ url: '/openai/batches?api-version=2025-04-01-preview', key: KEY, authorization: undefined });
  });

  test.each([
    ['', '/openai/v1/batches'],
    [", apiVersion: '2024-10-21'", '/openai/batches?api-version=2024-10-21'],
  ])('a token of Entra%s → a bearer token', async (version, url) => {
    const token = "azureADTokenProvider: async () => 'token-1'";
    const sent = await sentBy((endpoint) => `{ preset: 'azure', endpoint: '${endpoint}', ${token}${version} }`);
    expect(sent).toEqual({ url, key: undefined, authorization: 'Bearer token-1' });
  });

  test('its traits → files must be processed, and jobs outlive expires_at', async () => {
    await using config = await configFolder({ key: KEY });
    await accountIn(config, { preset: 'azure', endpoint: 'https://behind.example', apiKey: { file: 'key' } });
    const { accounts } = await config.read();
    const provider = new Providers({ default: providerOf(accounts[0]!) }).get('default')!;
    expect(provider).toMatchObject({ fileMustBeProcessed: true, expiresAtIsFinal: false, metadata: true });
    expect(provider.batchLimits).toMatchObject({ requests: 100_000, createsPerHour: 2_000 });
  });
});

describe('the variables of the openai package', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test('of another account → none of them is sent', async () => {
    for (const name of ['OPENAI_ORG_ID', 'OPENAI_PROJECT_ID', 'OPENAI_ADMIN_KEY', 'OPENAI_CUSTOM_HEADERS']) {
      vi.stubEnv(name, 'x-theirs: theirs');
    }
    await using config = await configFolder();
    const [sent] = await sentTo(async (baseURL) => {
      await accountIn(config, { preset: 'groq', baseURL, headers: { 'x-team': 'search' } });
      await clientFor(await config.read({ GROQ_API_KEY: 'key-of-groq' })).get('/batches');
    });
    expect(sent?.headers).toMatchObject({ authorization: 'Bearer key-of-groq', 'x-team': 'search' });
    expect(JSON.stringify(sent?.headers)).not.toContain('theirs');
  });

  test('a server without keys → some key is sent, which is nobody’s', async () => {
    await using config = await configFolder();
    const [sent] = await sentTo(async (baseURL) => {
      await accountIn(config, { preset: 'compatible', baseURL, apiKey: null });
      await clientFor(await config.read({ OPENAI_API_KEY: 'sk-of-openai' })).get('/batches');
    });
    expect(sent?.headers.authorization).toBe('Bearer -');
  });
});

describe('a proxy', () => {
  const upload = {
    filename: 'a.jsonl',
    bytes: 5,
    async *content() {
      yield Buffer.from('{"a":');
    },
    fields: { purpose: 'batch' },
  };

  test('of the environment → reads, uploads and downloads go through it', async () => {
    await using rig = await startRig();
    await using proxy = await connectProxy();
    await using config = await configFolder({ key: rig.api.apiKey });
    await accountIn(config, { preset: 'compatible', baseURL: rig.api.url, apiKey: { file: 'key' } });
    const { accounts } = await config.read();
    const client = guardedClient(clientOf(accounts[0]!, await proxyFetch(undefined, { HTTP_PROXY: proxy.url })));
    expect(await probe(client, () => [])).toEqual({ state: 'works', text: 'works' });
    const options = { timeout: 10_000, signal: new AbortController().signal };
    const { id } = (await postFile(client, upload, options)) as { id: string };
    const content = await client.files.content(id);
    expect(content).toBeInstanceOf(Response);
    expect(await content.text()).toBe('{"a":');
    expect(proxy.hosts).toEqual(expect.arrayContaining([new URL(rig.api.url).host]));
  });

  test('of the configuration, or none → as it says', async () => {
    await using rig = await startRig();
    await using proxy = await connectProxy();
    const send = await proxyFetch(proxy.url, {});
    expect((await send!(`${rig.api.url}/batches`)).status).toBe(401);
    expect(proxy.hosts).toEqual([new URL(rig.api.url).host]);
    const direct = await proxyFetch(undefined, { http_proxy: proxy.url, NO_PROXY: '127.0.0.1' });
    expect((await direct!(`${rig.api.url}/batches`)).status).toBe(401);
    expect(proxy.hosts).toHaveLength(1);
    expect(await proxyFetch(false, { HTTPS_PROXY: proxy.url })).toBeUndefined();
    expect(await proxyFetch(undefined, {})).toBeUndefined();
  });

  test('that is not there → told as an API that does not answer', async () => {
    await using config = await configFolder();
    await accountIn(config, { preset: 'compatible', baseURL: 'http://api.invalid/v1', apiKey: null });
    const { accounts } = await config.read();
    const send = await proxyFetch('http://127.0.0.1:1', {});
    const found = await probe(guardedClient(clientOf(accounts[0]!, send)), () => []);
    expect(found.state).toBe('unreachable');
  });
});
