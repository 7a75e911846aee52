/** What every stage has besides Temporal: the local API and a storage folder, and from them a client and activities. */
import OpenAI, { type ClientOptions } from 'openai';
import { createActivities, type Activities, type ActivitiesOptions } from '../../src/activities/index.js';
import type { ProviderOptions } from '../../src/index.js';
import { LocalApi, type LocalApiOptions } from '../../src/testing/index.js';
import { temporaryFolder, type StageFolder } from './folder.js';

export interface Backend {
  readonly api: LocalApi;
  /** The storage of the workers, and where inputs are written. */
  readonly folder: StageFolder;
  /** Closes the API and removes the folder. */
  readonly stop: () => Promise<void>;
}

/** @param folder removed when the backend stops; @default a new temporary folder */
export async function startBackend(api: LocalApiOptions = {}, folder?: StageFolder): Promise<Backend> {
  const storage = folder ?? (await temporaryFolder());
  const localApi = await LocalApi.start(api);
  return {
    api: localApi,
    folder: storage,
    stop: async () => {
      await localApi.close();
      await storage.remove();
    },
  };
}

/** The official client of a local API. Its log is off, since failed requests are what most stages are about. */
export function clientOf(api: LocalApi, options: ClientOptions = {}): OpenAI {
  return new OpenAI({ apiKey: api.apiKey, baseURL: api.url, logLevel: 'off', ...options });
}

/** A provider on the account of the local API. */
export interface StageProvider extends Partial<Omit<ProviderOptions, 'client'>> {
  /** How long its client waits for an answer. @default 60_000 */
  readonly timeoutMs?: number;
}

export interface StageActivitiesOptions {
  /** By name; there is always one named `default`. */
  readonly providers?: Readonly<Record<string, StageProvider>>;
  /** URIs of the storage roots. @default the folder of the backend */
  readonly roots?: readonly string[];
  readonly poll?: ActivitiesOptions['poll'];
  /** @default each run looks at its job itself, so that a test sees every poll */
  readonly watch?: ActivitiesOptions['watch'];
}

export function stageActivities({ api, folder }: Backend, options: StageActivitiesOptions = {}): Activities {
  const named: Readonly<Record<string, StageProvider>> = { default: {}, ...options.providers };
  const providers: Record<string, ProviderOptions> = {};
  for (const [name, { timeoutMs = 60_000, ...traits }] of Object.entries(named)) {
    providers[name] = { client: clientOf(api, { timeout: timeoutMs }), ...traits };
  }
  return createActivities({
    providers,
    storage: options.roots ?? [folder.uri],
    ...(options.poll && { poll: options.poll }),
    watch: options.watch ?? { mode: 'job' },
  });
}
