/** Starts a Temporal server, or uses a running one that the environment or a profile names. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, type ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import type { TestWorkflowEnvironment, TimeSkippingTestWorkflowEnvironmentOptions } from '@temporalio/testing';
import { TEMPORAL_CLI } from './binaries.js';
import {
  findTemporalCli,
  findTimeSkippingServer,
  logToStderr,
  pinnedSource,
  TemporalServerNotFound,
  type FindOptions,
  type FoundBinary,
  type TemporalSource,
} from './find.js';
import { assertFree, freePorts, startGuardedProcess, type GuardedProcess } from './processes.js';

export interface DevServerOptions extends FindOptions {
  /** @default a free port */
  readonly port?: number;
  /** @default a free port */
  readonly uiPort?: number;
  /**
   * Whether to serve the web UI.
   *
   * @default true
   */
  readonly ui?: boolean;
  /**
   * The address to listen on.
   *
   * @default '127.0.0.1'
   */
  readonly ip?: string;
  /** SQLite file that keeps the server's state. Without it, the state is lost when the server ends. */
  readonly dbFilename?: string;
  /** @default 'default' */
  readonly namespace?: string;
  /** Names and types of search attributes to register, such as `{ LlmJobStatus: 'Keyword' }`. */
  readonly searchAttributes?: Readonly<
    Record<string, 'Text' | 'Keyword' | 'Int' | 'Double' | 'Bool' | 'Datetime' | 'KeywordList'>
  >;
  /** Further arguments for `temporal server start-dev`. */
  readonly extraArgs?: readonly string[];
  /**
   * Whether to use a server that `TEMPORAL_ADDRESS` or a profile names instead of starting one.
   *
   * @default true
   */
  readonly existing?: boolean;
}

type ServerConnectionOptions = ClientConnectConfig['connectionOptions'];

export interface DevServer {
  /** `host:port` of the gRPC frontend. */
  readonly address: string;
  /** Null without a UI, and for an existing server, whose UI is not known. */
  readonly uiUrl: string | null;
  readonly namespace: string;
  readonly source: TemporalSource;
  /** Includes TLS and the API key of an existing server. */
  readonly connectionOptions: ServerConnectionOptions;
  /** The standard variables by which another process finds the same server. */
  readonly env: Readonly<Record<string, string>>;
  /** The `temporal` CLI that runs the server; undefined for an existing server. */
  readonly cliPath?: string;
  /** Undefined for an existing server. */
  readonly pid?: number;
  /** Ends the server and waits for its exit. Does nothing to an existing server. */
  readonly stop: () => Promise<void>;
}

export interface TimeSkippingServerOptions extends FindOptions {
  /** @default a free port */
  readonly port?: number;
  /** Options of the environment's client. */
  readonly client?: TimeSkippingTestWorkflowEnvironmentOptions['client'];
}

/** A running server that the environment or a profile names. */
interface ExistingServer {
  readonly address: string;
  readonly namespace: string;
  readonly connectionOptions: ServerConnectionOptions;
  /** The setting that names it, as shown to the user. */
  readonly setting: string;
}

const START_LIMIT_MS = 30_000;
const EXISTING_LIMIT_MS = 5_000;
const CONNECT_LIMIT_MS = 2_000;
const RETRY_MS = 100;
const START_ATTEMPTS = 3;

/**
 * Uses the server that the environment names, or starts one on this machine, which ends with this process or on
 * `stop()`.
 *
 * @throws {TemporalServerNotFound} if none is found and none can be fetched, or if the one that the environment names
 * does not answer
 */
export async function startDevServer(options: DevServerOptions = {}): Promise<DevServer> {
  const env = options.env ?? process.env;
  const pin = pinnedSource(env);
  if (options.existing !== false && (pin === undefined || pin === 'address')) {
    const existing = existingServer(env);
    if (existing !== undefined) return useExisting(existing, options);
    if (pin === 'address') {
      const reason = 'LLM_JOBS_TEMPORAL_SOURCE is "address", but neither TEMPORAL_ADDRESS nor a profile names a server';
      throw new TemporalServerNotFound(TEMPORAL_CLI.title, [{ source: 'address', reason }], TEMPORAL_CLI.remedy);
    }
  }
  const cli = await findTemporalCli(options);
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(cli, options, env);
    } catch (error) {
      // Another process can take a free port before the server does.
      const isPortTaken = /address already in use/i.test((error as Error).message);
      const isChosenByUs = options.port === undefined || (options.ui !== false && options.uiPort === undefined);
      if (!isPortTaken || !isChosenByUs || attempt === START_ATTEMPTS) throw error;
    }
  }
}

/**
 * Starts a server that skips time, for tests of workflows that wait for hours. End it with `teardown()`.
 *
 * @throws {TemporalServerNotFound}
 */
export async function startTimeSkippingServer(
  options: TimeSkippingServerOptions = {},
): Promise<TestWorkflowEnvironment> {
  // Imported late, since it loads the SDK's native core, which no other server needs.
  const { TestWorkflowEnvironment: environment } = await import('@temporalio/testing');
  const { path } = await findTimeSkippingServer(options);
  return environment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path }, port: options.port },
    client: options.client,
  });
}

function existingServer(env: NodeJS.ProcessEnv): ExistingServer | undefined {
  const overrideEnvVars = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars });
  const { address } = connectionOptions;
  if (!address) return undefined;
  const profile = env.TEMPORAL_PROFILE || 'default';
  const setting = env.TEMPORAL_ADDRESS ? 'TEMPORAL_ADDRESS' : `profile "${profile}" of the Temporal configuration`;
  return { address, namespace: namespace ?? 'default', connectionOptions, setting };
}

async function useExisting(existing: ExistingServer, options: DevServerOptions): Promise<DevServer> {
  const { address, namespace, connectionOptions, setting } = existing;
  const problem = await waitForServer(connectionOptions, namespace, EXISTING_LIMIT_MS);
  if (problem !== null) {
    // Starting another server instead would hide the mistake.
    throw new TemporalServerNotFound(
      TEMPORAL_CLI.title,
      [{ source: setting, reason: `${address} does not answer for namespace ${namespace}: ${problem}` }],
      'Start that server, or remove the setting that names it.',
    );
  }
  const log = options.log ?? logToStderr;
  log(`${TEMPORAL_CLI.title}: ${address} (from ${setting})`);
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

async function start(cli: FoundBinary, options: DevServerOptions, env: NodeJS.ProcessEnv): Promise<DevServer> {
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

  const server = await startGuardedProcess(cli.path, args, env);
  const connectionOptions = { address };
  const problem = await waitForServer(connectionOptions, namespace, START_LIMIT_MS, server);
  if (problem !== null) {
    await server.stop();
    throw new Error(`the Temporal dev server did not start: ${server.lastOutput() || problem}`);
  }
  return {
    address,
    uiUrl: ui ? `http://${host}:${uiPort}` : null,
    namespace,
    source: cli.source,
    connectionOptions,
    env: { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace },
    cliPath: cli.path,
    pid: server.pid,
    stop: server.stop,
  };
}

/** Waits until the server knows the namespace. @returns the last problem if it never does, else null */
async function waitForServer(
  connectionOptions: ServerConnectionOptions,
  namespace: string,
  limitMs: number,
  server?: GuardedProcess,
): Promise<string | null> {
  const deadline = Date.now() + limitMs;
  let problem = 'no answer';
  while (Date.now() < deadline) {
    if (server?.hasEnded()) return 'the server has ended';
    try {
      const connection = await Connection.connect({
        ...(connectionOptions as ConnectionOptions),
        connectTimeout: CONNECT_LIMIT_MS,
      });
      try {
        await connection.workflowService.describeNamespace({ namespace });
        return null;
      } finally {
        await connection.close();
      }
    } catch (error) {
      problem = (error as Error).message;
    }
    await sleep(RETRY_MS);
  }
  return problem;
}
