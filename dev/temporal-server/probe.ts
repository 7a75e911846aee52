import type { WheelBinary } from './binaries.js';
import { lastWords, runCommand } from './run-command.js';

/** Runs a binary to see that it is what its name says. Returns its version, or the empty string where it tells none. Rejects if it is not. */
export async function probe(binary: WheelBinary, path: string, env: NodeJS.ProcessEnv): Promise<string> {
  const result = await runCommand(path, binary.probe.args, { env, timeoutMs: 15_000 });
  const match = binary.probe.prints.exec(result.stdout + result.stderr);
  if (result.code !== 0 || match === null) throw new Error(`it does not run: ${lastWords(result)}`);
  return match[1] ?? '';
}
