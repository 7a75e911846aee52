/** Commands of `llm-jobs` in the process of the test. */
import { afterEach, beforeEach, vi } from 'vitest';
import { createProgram } from '../../src/cli/program.js';
import type { TestTemporal } from './temporal.js';

export interface Ended {
  readonly code: number;
  readonly out: string[];
  readonly err: string[];
}

/** Variables of the environment name the server, as for the command itself. */
export async function llmJobs(...args: readonly string[]): Promise<Ended> {
  const out: string[] = [];
  const err: string[] = [];
  let code = 0;
  const io = {
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
    exit: (given: number) => {
      code = given;
    },
    quit: (given: number) => {
      code = given;
    },
    terminal: null,
  };
  await createProgram(io).parseAsync([...args], { from: 'user' });
  return { code, out, err };
}

/** The variables that name the server and the task queue of a stage, for each test of the block. */
export function useVariablesOf(
  { temporal }: { readonly temporal: TestTemporal },
  more: () => Record<string, string>,
): void {
  beforeEach(() => {
    const { address, namespace, taskQueue } = temporal;
    const common = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, LLM_JOBS_TASK_QUEUE: taskQueue };
    for (const [name, value] of Object.entries({ ...common, ...more() })) vi.stubEnv(name, value);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });
}
