/** What `llm-jobs worker --check` does. */
import { ConfigError } from '../config/faults.js';
import { secretsIn } from '../config/load-file.js';
import { shownProxy } from '../config/proxy.js';
import { readWorkerConfig, type WorkerConfig } from '../config/worker-config.js';
import type { ProbeState } from '../provider/probe.js';
import { redact } from '../provider/redact.js';
import { checkWorker, type WorkerCheck } from '../worker/check-worker.js';
import { EXIT_CODES, type Io } from './io.js';
import { table } from './progress-text.js';
import type { ConfigOptions } from './workers-storage.js';

export interface CheckWorkerOptions extends ConfigOptions {
  readonly json?: boolean;
}

const CODE_OF_ACCOUNT: Readonly<Record<ProbeState, number>> = {
  works: EXIT_CODES.done,
  noBatches: EXIT_CODES.done,
  noJobs: EXIT_CODES.refused,
  keyRefused: EXIT_CODES.refused,
  otherApi: EXIT_CODES.usage,
  keyUnreadable: EXIT_CODES.usage,
  unreachable: EXIT_CODES.unreachable,
};

const CODE_OF_TEMPORAL: Readonly<Record<WorkerCheck['temporal']['state'], number>> = {
  works: EXIT_CODES.done,
  noNamespace: EXIT_CODES.usage,
  refused: EXIT_CODES.refused,
  unreachable: EXIT_CODES.unreachable,
};

/** Of several, the one that is to be corrected first. */
const BY_WEIGHT = [EXIT_CODES.usage, EXIT_CODES.refused, EXIT_CODES.unreachable];

export async function checkWorkerNow(io: Io, options: CheckWorkerOptions): Promise<void> {
  const config = await configOr(io, options);
  if (config === null) return;
  const found = await checkWorker(config, process.env);
  const { storage, temporal, accounts } = found;
  const { file, notes } = config;
  if (options.json) io.out(JSON.stringify({ configuration: { file, faults: [], notes }, ...found }));
  else for (const line of checkText(config, found)) io.out(line);
  const codes = [
    ...storage.map(({ isWritable }) => (isWritable ? EXIT_CODES.done : EXIT_CODES.usage)),
    CODE_OF_TEMPORAL[temporal.state],
    ...accounts.map(({ state }) => CODE_OF_ACCOUNT[state]),
  ];
  io.exit(BY_WEIGHT.find((code) => codes.includes(code)) ?? EXIT_CODES.done);
}

/** Null if it has faults, which are told. */
async function configOr(io: Io, { config: file, json }: CheckWorkerOptions): Promise<WorkerConfig | null> {
  try {
    return await readWorkerConfig({ environment: process.env, folder: process.cwd(), file });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (json) io.out(redact(JSON.stringify({ configuration: { file: error.file, faults: error.faults } }), secrets()));
    else io.err(`llm-jobs: ${redact(error.message, secrets())}`);
    io.exit(EXIT_CODES.usage);
    return null;
  }
}

const secrets = (): string[] => secretsIn(process.env);

function checkText({ file, notes, proxy }: WorkerConfig, { storage, temporal, accounts }: WorkerCheck): string[] {
  const through = shownProxy(proxy, process.env);
  return table(
    ['CHECKED', 'WHAT', 'FOUND'],
    [
      ['configuration', file ?? 'the environment', 'no fault'],
      ...notes.map((note) => ['', '', note]),
      ...(through === null ? [] : [['proxy', through, 'is used for requests to providers']]),
      ...storage.map(({ uri, text }) => ['storage', uri, text]),
      ['temporal', `${temporal.namespace} at ${temporal.address}`, temporal.text],
      ...accounts.map(({ name, url, text }) => ['account', `${name} at ${url}`, text]),
    ],
  );
}
