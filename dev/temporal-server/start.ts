import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, type ConnectionOptions } from '@temporalio/client';
import { TEMPORAL_CLI } from './binaries.js';
import { existingServer, type ExistingServer } from './existing.js';
import { findTemporalCli, type FindOptions } from './find.js';
import { assertFree, freePorts } from './free-ports.js';
import { startGuarded, type GuardedProcess } from './guarded-process.js';
import { TemporalServerNotFound } from './not-found.js';
import { pinnedSource, type TemporalSource } from './source.js';

export interface DevServerOptions extends FindOptions {
  /** @default a free port */
  port?: number;
  /** @default a free port */
  uiPort?: number;
  /**
   * Whether to serve the web UI.
   *
   * @default true
   */
  ui?: boolean;
  /**
   * Where to listen.
   *
   * @default '127.0.0.1'
   */
  ip?: string;
  /** Keeps the server's state in this SQLite file. Without it, state is gone when the server ends. */
  dbFilename?: string;
  /** @default 'default' */
  namespace?: string;
  /** Names and types of search attributes to register, like `{ LlmJobStatus: 'Keyword' }`. */
  searchAttributes?: Record<string, 'Text' | 'Keyword' | 'Int' | 'Double' | 'Bool' | 'Datetime' | 'KeywordList'>;
  /** More arguments for `temporal server start-dev`. */
  extraArgs?: string[];
  /**
   * Whether a server that `TEMPORAL_ADDRESS` or a profile names is used instead of starting one.
   *
   * @default true
   */
  existing?: boolean;
}

export interface DevServer {
  /** `host:port` of the gRPC frontend. */
  address: string;
  /** Null without a UI, and for an existing server, which does not tell where its UI is. */
  uiUrl: string | null;
  namespace: string;
  source: TemporalSource;
  /** How to connect to it: TLS and API key of an existing server come with it. */
  connectionOptions: ExistingServer['connectionOptions'];
  /** What another process needs in its environment to find the same server, by the standard variables. */
  env: Record<string, string>;
  /** The `temporal` CLI that runs it; undefined for an existing server. */
  cliPath?: string;
  /** Undefined for an existing server. */
  pid?: number;
  /** Ends the server and waits until it is gone. Does nothing to an existing one. */
  stop(): Promise<void>;
}

const START_LIMIT_MS = 30_000;
const EXISTING_LIMIT_MS = 5_000;
const START_ATTEMPTS = 3;

/**
 * Finds a Temporal server by the environment, or starts one of this machine's own. It ends with this process, or on `stop()`.
 *
 * @throws {TemporalServerNotFound} when there is none and none can be fetched, or when the one that the environment names does not answer
 */
export async function startDevServer(options: DevServerOptions = {}): Promise<DevServer> {
  const env = options.env ?? process.env;
  const pin = pinnedSource(env);
  if (options.existing !== false && (pin === undefined || pin === 'address')) {
    const existing = existingServer(env);
    if (existing !== undefined) return useExisting(existing, options);
    if (pin === 'address') {
      const reason = 'LLM_JOBS_TEMPORAL_SOURCE=address, but neither TEMPORAL_ADDRESS nor a profile names a server';
      throw new TemporalServerNotFound(TEMPORAL_CLI.title, [{ source: 'address', reason }], TEMPORAL_CLI.wayOut);
    }
  }
  const cli = await findTemporalCli(options);
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(cli.path, cli.source, options, env);
    } catch (error) {
      // Between choosing a free port and using it, another process may have taken it.
      const portTaken = /address already in use/i.test((error as Error).message);
      const chosenByUs = options.port === undefined || (options.ui !== false && options.uiPort === undefined);
      if (!portTaken || !chosenByUs || attempt === START_ATTEMPTS) throw error;
    }
  }
}

async function useExisting(existing: ExistingServer, options: DevServerOptions): Promise<DevServer> {
  const { address, namespace, connectionOptions, namedBy } = existing;
  const problem = await untilAnswers(connectionOptions, namespace, EXISTING_LIMIT_MS);
  if (problem !== undefined) {
    // Whoever names a server means that one: to start another in its place would hide the mistake.
    throw new TemporalServerNotFound(
      TEMPORAL_CLI.title,
      [{ source: namedBy, reason: `${address} does not answer for namespace ${namespace}: ${problem}` }],
      'Start that server, or unset what names it.',
    );
  }
  const log = options.log ?? ((line) => process.stderr.write(`${line}\n`));
  log(`${TEMPORAL_CLI.title}: ${address}, named by ${namedBy}`);
  return {
    address,
    uiUrl: null,
    namespace,
    source: 'address',
    connectionOptions,
    env: {},
    stop: async () => undefined,
  };
}

async function start(
  cliPath: string,
  source: TemporalSource,
  options: DevServerOptions,
  env: NodeJS.ProcessEnv,
): Promise<DevServer> {
  const { ip = '127.0.0.1', namespace = 'default', ui = true } = options;
  if (options.port !== undefined) await assertFree(options.port, ip);
  if (ui && options.uiPort !== undefined) await assertFree(options.uiPort, ip);
  const [freePort = 0, freeUiPort = 0] = await freePorts(2, ip);
  const port = options.port ?? freePort;
  const uiPort = options.uiPort ?? freeUiPort;
  const host = ip.includes(':') ? `[${ip}]` : ip;
  const address = `${host}:${port}`;
  const args = [
    'server',
    'start-dev',
    `--ip=${ip}`,
    `--port=${port}`,
    `--namespace=${namespace}`,
    '--log-level=error',
    ...(ui ? [`--ui-port=${uiPort}`] : ['--headless']),
    ...(options.dbFilename === undefined ? [] : [`--db-filename=${options.dbFilename}`]),
    ...Object.entries(options.searchAttributes ?? {}).map(([name, type]) => `--search-attribute=${name}=${type}`),
    ...(options.extraArgs ?? []),
  ];

  const server = await startGuarded(cliPath, args, env);
  const connectionOptions = { address };
  const problem = await untilAnswers(connectionOptions, namespace, START_LIMIT_MS, server);
  if (problem !== undefined) {
    await server.stop();
    throw new Error(`The Temporal dev server did not start: ${server.lastWords() || problem}`);
  }
  return {
    address,
    uiUrl: ui ? `http://${host}:${uiPort}` : null,
    namespace,
    source,
    connectionOptions,
    env: { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace },
    cliPath,
    pid: server.pid,
    stop: server.stop,
  };
}

/** Waits until the server knows the namespace. Returns what was wrong last if it never does. */
async function untilAnswers(
  connectionOptions: ExistingServer['connectionOptions'],
  namespace: string,
  limitMs: number,
  server?: GuardedProcess,
): Promise<string | undefined> {
  const deadline = Date.now() + limitMs;
  let problem = 'no answer';
  while (Date.now() < deadline) {
    if (server?.hasEnded()) return 'it ended';
    try {
      const connection = await Connection.connect({
        ...(connectionOptions as ConnectionOptions),
        connectTimeout: 2000,
      });
      try {
        await connection.workflowService.describeNamespace({ namespace });
        return undefined;
      } finally {
        await connection.close();
      }
    } catch (error) {
      problem = (error as Error).message;
    }
    await sleep(100);
  }
  return problem;
}
