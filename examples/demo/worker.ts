/** The demo's worker: a process of its own that can be killed and replaced. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startGuardedWorker, type GuardedWorker } from '../../dev/stage/worker-process.js';

/**
 * For 10 s after a worker's last poll Temporal sends it tasks, and each waits 10 s before another worker gets it. A query
 * that comes meanwhile is answered from events that no worker has acted on, after which the SDK may not be able to
 * replay the run. So nobody asks until then.
 */
const FORGOTTEN_AFTER_MS = 20_000;

export interface DemoWorker {
  readonly pid: () => number;
  /** Asks runs something, but not while Temporal still waits for a worker that was killed. */
  readonly ask: <T>(question: () => Promise<T>) => Promise<T>;
  /** Ends the process with SIGKILL, once all questions are answered. Jobs at the provider go on. */
  readonly kill: () => Promise<void>;
  /** Starts another process in its place. */
  readonly replace: () => Promise<void>;
  /** Rejects if a worker ends that was neither stopped nor killed. */
  readonly broken: Promise<never>;
  readonly stop: () => Promise<void>;
}

export async function startDemoWorker(
  variables: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<DemoWorker> {
  let worker: GuardedWorker;
  let breakDown: (error: unknown) => void;
  const broken = new Promise<never>((_, reject) => (breakDown = reject));
  broken.catch(() => undefined);
  const start = async () => {
    worker = await startGuardedWorker(variables, signal);
    worker.broken.catch((error: unknown) => breakDown(error));
  };
  await start();
  let silence = Promise.resolve();
  const questions = new Set<Promise<unknown>>();
  return {
    pid: () => worker.pid,
    ask: async (question) => {
      await silence;
      const answer = question();
      questions.add(answer);
      return answer.finally(() => questions.delete(answer));
    },
    kill: async () => {
      silence = sleep(FORGOTTEN_AFTER_MS, undefined, { ref: false });
      await Promise.allSettled(questions);
      await worker.kill();
    },
    replace: start,
    broken,
    stop: () => worker.stop(),
  };
}
