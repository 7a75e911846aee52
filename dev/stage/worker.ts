/** A worker in this process. */
import { fileURLToPath } from 'node:url';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { quietRuntime } from './quiet-runtime.js';

/** The bundle that `npm run build` makes, which the ready-made worker runs, too. */
export const WORKFLOW_BUNDLE = fileURLToPath(new URL('../../dist/workflow-bundle.cjs', import.meta.url));

quietRuntime();

export interface WorkerTarget {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
}

/** Starts a worker on the built bundle and returns the function that stops it. */
export async function startWorker(
  { connection, namespace, taskQueue }: WorkerTarget,
  activities: object,
  more: Pick<WorkerOptions, 'identity' | 'maxCachedWorkflows'> = {},
): Promise<() => Promise<void>> {
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    activities,
    workflowBundle: { codePath: WORKFLOW_BUNDLE },
    ...more,
  });
  const running = worker.run();
  return () => {
    worker.shutdown();
    return running;
  };
}
