/** What `llm-jobs dev` does, until Ctrl-C. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { startDevEnvironment, type DevEnvironment, type DevOptions } from './dev-environment.js';
import { CommandError, EXIT_CODES, type Io } from './io.js';

export interface DevCommandOptions extends DevOptions {
  readonly json?: boolean;
}

export async function dev(io: Io, options: DevCommandOptions): Promise<void> {
  const environment = await startDevEnvironment(io, options);
  const interrupted = nextSignal();
  try {
    const sample = await writeSample();
    if (options.json) {
      const { uiUrl, apiUrl, storage, variables } = environment;
      io.out(JSON.stringify({ uiUrl, apiUrl, storage, variables, sample }));
    } else {
      for (const line of introduction(environment, sample, options.speed)) io.out(line);
    }
    const reason = await Promise.race([interrupted, environment.broken]);
    if (reason !== null) throw new CommandError(EXIT_CODES.usage, `the worker ended: ${reason}`, 'See its message.');
    io.err('Stopping …');
  } finally {
    await environment.stop();
  }
}

/** Resolves with null. A second Ctrl-C ends the process at once, and what it has started with it. */
function nextSignal(): Promise<null> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve(null));
  });
}

function introduction({ uiUrl, apiUrl, storage, variables }: DevEnvironment, sample: string, speed: number): string[] {
  const { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, LLM_JOBS_TASK_QUEUE: taskQueue } = variables;
  return [
    '',
    `Temporal UI  ${uiUrl}`,
    `Temporal     ${address}, namespace ${namespace}`,
    `API          ${apiUrl}, simulated: ${speed} h of a provider's work per second, no costs`,
    `Worker       task queue ${taskQueue}, storage ${storage}`,
    '',
    'In another terminal:',
    ...Object.entries(variables).map(([name, value]) => `  export ${name}=${quoted(value)}`),
    `  npx llm-jobs batch run ${quoted(sample)}`,
    '',
    'Ctrl-C stops all of it.',
  ];
}

/** As shells need it. */
const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

const QUESTIONS = ['What is a batch?', 'Name a prime above 100.', 'Translate "good morning" into Finnish.'];
const SAMPLES = 24;

/** A file of requests to begin with, below the working folder. @returns its path */
async function writeSample(): Promise<string> {
  const folder = join(process.cwd(), '.llm-jobs', 'samples');
  const path = join(folder, 'requests.jsonl');
  const lines = Array.from({ length: SAMPLES }, (_, index) => ({
    custom_id: `question-${index + 1}`,
    method: 'POST',
    url: '/v1/chat/completions',
    body: {
      model: 'gpt-5.4-mini',
      max_completion_tokens: 100,
      messages: [{ role: 'user', content: QUESTIONS[index % QUESTIONS.length] }],
    },
  }));
  await mkdir(folder, { recursive: true });
  await writeFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return relative(process.cwd(), path);
}
