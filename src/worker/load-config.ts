/** The configuration for workers of a user's own. */
import type { ActivitiesOptions } from '../activities/index.js';
import { providerOf } from '../config/account-client.js';
import { proxyFetch } from '../config/proxy.js';
import { readWorkerConfig, storageOf, withUnits } from '../config/worker-config.js';

/** Which configuration is read. */
export interface LoadConfigOptions {
  /**
   * Path of the file.
   * @default `LLM_JOBS_CONFIG`, or `llm-jobs.config.{ts,js,mjs,json}` in the working folder
   */
  readonly file?: string;
}

/**
 * Reads the configuration as `llm-jobs worker` does, for `createActivities` or `LlmJobsPlugin` in a worker of your own.
 * Its settings of the process, such as `worker` and `webhooks`, are left to that worker.
 *
 * @example
 * ```ts
 * import { LlmJobsPlugin } from 'temporal-llm-jobs';
 * import { loadConfig } from 'temporal-llm-jobs/config';
 *
 * const plugin = new LlmJobsPlugin(await loadConfig());
 * ```
 * @throws ConfigError with every fault
 */
export async function loadConfig({ file }: LoadConfigOptions = {}): Promise<ActivitiesOptions> {
  const config = await readWorkerConfig({ environment: process.env, folder: process.cwd(), file });
  const fetch = await proxyFetch(config.proxy, process.env);
  return {
    providers: Object.fromEntries(config.accounts.map((account) => [account.name, providerOf(account, fetch)])),
    storage: storageOf(config),
    ...withUnits(config),
  };
}
