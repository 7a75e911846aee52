import { readCommonConfig, storageOf, type CommonConfig } from '../config/worker-config.js';
import type { Storage } from '../storage/storage.js';

export interface ConfigOptions {
  /** Path of the configuration. @default `LLM_JOBS_CONFIG`, or the file in the working folder */
  readonly config?: string;
}

/** What the configuration of the workers says to commands that ask no provider. */
export function commonConfig({ config: file }: ConfigOptions): Promise<CommonConfig> {
  return readCommonConfig({ environment: process.env, folder: process.cwd(), file });
}

/** The storage of the workers, by the same configuration as theirs. */
export async function workersStorage(options: ConfigOptions): Promise<Storage> {
  return storageOf(await commonConfig(options));
}
