/** The accounts of the workers' configuration, for commands that ask the provider. */
import type OpenAI from 'openai';
import { clientOf } from '../config/account-client.js';
import type { Account } from '../config/accounts.js';
import { proxyFetch } from '../config/proxy.js';
import { DEFAULT_ACCOUNT } from '../config/schema.js';
import { readAccounts } from '../config/worker-config.js';
import { redact } from '../provider/redact.js';
import { httpStatusOf } from '../provider/reply.js';
import { CommandError, EXIT_CODES } from './io.js';
import type { ConfigOptions } from './workers-storage.js';

/** An account of the configuration, as the workers use it. */
export interface AccountToAsk {
  readonly account: Account;
  readonly openai: OpenAI;
}

export interface AccountOptions extends ConfigOptions {
  /** Name of the account. */
  readonly provider?: string;
}

/** @throws ConfigError if there is no such account, or its key is missing */
export async function accountsOf({ config: file }: ConfigOptions, name?: string): Promise<readonly AccountToAsk[]> {
  const { accounts, proxy } = await readAccounts({ environment: process.env, folder: process.cwd(), file }, name);
  const fetch = await proxyFetch(proxy, process.env);
  return accounts.map((account) => ({ account, openai: clientOf(account, fetch) }));
}

export async function accountOf(options: AccountOptions): Promise<AccountToAsk> {
  const [account] = await accountsOf(options, options.provider ?? DEFAULT_ACCOUNT);
  return account!;
}

/** @throws CommandError if the provider refuses or does not answer; the message never contains the key */
export async function asked<T>({ account, openai }: AccountToAsk, ask: (openai: OpenAI) => Promise<T>): Promise<T> {
  try {
    return await ask(openai);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const { name, url, secrets } = account;
    const message = redact(error instanceof Error ? error.message : String(error), secrets());
    const code = httpStatusOf(error) === null ? EXIT_CODES.unreachable : EXIT_CODES.refused;
    throw new CommandError(code, message, `The account is "${name}" at ${url}`, error);
  }
}
