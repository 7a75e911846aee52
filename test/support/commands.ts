/** Commands of `llm-jobs` in the process of the test. */
import { createProgram } from '../../src/cli/program.js';

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
  };
  await createProgram(io).parseAsync([...args], { from: 'user' });
  return { code, out, err };
}
