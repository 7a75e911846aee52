/** A folder with configuration files. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, type ConfigFault } from '../../src/config/faults.js';
import type { Environment } from '../../src/config/load-file.js';
import { readWorkerConfig, type WorkerConfig } from '../../src/config/worker-config.js';

export interface ConfigFolder extends AsyncDisposable {
  readonly folder: string;
  readonly write: (name: string, content: string | object) => Promise<string>;
  readonly read: (environment?: Environment, file?: string) => Promise<WorkerConfig>;
  /** What is wrong, as `field: message`; empty where nothing is. */
  readonly faults: (environment?: Environment, file?: string) => Promise<string[]>;
}

/** @param files contents by name; an object is written as JSON */
export async function configFolder(files: Readonly<Record<string, string | object>> = {}): Promise<ConfigFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'llm-jobs-config-'));
  const write = async (name: string, content: string | object) => {
    const path = join(folder, name);
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
    return path;
  };
  for (const [name, content] of Object.entries(files)) await write(name, content);
  const read = (environment: Environment = {}, file?: string) => readWorkerConfig({ environment, folder, file });
  return {
    folder,
    write,
    read,
    faults: (environment, file) =>
      read(environment, file).then(
        () => [],
        (error: unknown) => (error instanceof ConfigError ? error.faults.map(shown) : [String(error)]),
      ),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

const shown = ({ field, message }: ConfigFault): string => (field === '' ? message : `${field}: ${message}`);
