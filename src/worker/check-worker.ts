/** What a worker would find if it started now: its storage, Temporal, and each account. Nothing is started or paid for. */
import { randomUUID } from 'node:crypto';
import { Connection, isGrpcServiceError } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { clientOf } from '../config/account-client.js';
import { proxyFetch } from '../config/proxy.js';
import { storageOf, type WorkerConfig } from '../config/worker-config.js';
import { guardedClient } from '../provider/guarded-client.js';
import { probe, type ProbeState } from '../provider/probe.js';
import { redact } from '../provider/redact.js';
import { prepareRoot } from '../storage/prepare-root.js';

export interface WorkerCheck {
  readonly storage: readonly { readonly uri: string; readonly isWritable: boolean; readonly text: string }[];
  readonly temporal: {
    readonly address: string;
    readonly namespace: string;
    readonly state: 'works' | 'unreachable' | 'noNamespace' | 'refused';
    readonly text: string;
  };
  readonly accounts: readonly AccountCheck[];
}

export interface AccountCheck {
  readonly name: string;
  readonly preset: string;
  readonly url: string;
  readonly state: ProbeState;
  readonly text: string;
}

const CONNECT_MS = 5_000;
/** Codes of gRPC. */
const NOT_FOUND: number = 5;
const UNAVAILABLE: readonly number[] = [4, 14];

export async function checkWorker(config: WorkerConfig, environment: NodeJS.ProcessEnv): Promise<WorkerCheck> {
  const [storage, temporal, accounts] = await Promise.all([
    Promise.all(config.storage.map((root) => checkRoot(root, config))),
    checkTemporal(),
    checkAccounts(config, environment),
  ]);
  return { storage, temporal, accounts };
}

async function checkRoot(uri: string, config: WorkerConfig): Promise<WorkerCheck['storage'][number]> {
  try {
    if (/^file:/i.test(uri)) {
      await prepareRoot(uri);
    } else {
      const storage = storageOf(config);
      const probed = storage.resolve(uri, `.llm-jobs-check-${randomUUID()}`);
      await storage.write(probed, one());
      await storage.delete(probed);
    }
    return { uri, isWritable: true, text: 'writable' };
  } catch (error) {
    return { uri, isWritable: false, text: messageOf(error) };
  }
}

async function* one(): AsyncGenerator<string> {
  yield 'x';
}

async function checkTemporal(): Promise<WorkerCheck['temporal']> {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const { address = 'localhost:7233' } = connectionOptions;
  try {
    const connection = await Connection.connect({ ...connectionOptions, connectTimeout: CONNECT_MS });
    try {
      const ask = () => connection.workflowService.describeNamespace({ namespace });
      await connection.withDeadline(Date.now() + CONNECT_MS, ask);
      return { address, namespace, state: 'works', text: 'works' };
    } finally {
      await connection.close();
    }
  } catch (error) {
    return { address, namespace, ...temporalProblem(error) };
  }
}

function temporalProblem(error: unknown): Pick<WorkerCheck['temporal'], 'state' | 'text'> {
  const code: number | null = isGrpcServiceError(error) ? error.code : null;
  if (code === NOT_FOUND) return { state: 'noNamespace', text: 'there is no such namespace (see TEMPORAL_NAMESPACE)' };
  if (code === null || UNAVAILABLE.includes(code)) {
    return { state: 'unreachable', text: `does not answer within ${CONNECT_MS / 1_000} s (see TEMPORAL_ADDRESS)` };
  }
  return { state: 'refused', text: `refuses: ${redact(messageOf(error), [])}` };
}

async function checkAccounts(
  { accounts, proxy }: WorkerConfig,
  environment: NodeJS.ProcessEnv,
): Promise<readonly AccountCheck[]> {
  const fetch = await proxyFetch(proxy, environment);
  return Promise.all(
    accounts.map(async (account) => {
      const { name, preset, url, secrets } = account;
      const { state, text } = await probe(guardedClient(clientOf(account, fetch)), secrets);
      return { name, preset, url, state, text };
    }),
  );
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
