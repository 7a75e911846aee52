/** A worker that runs the workflows of this folder beside those of temporal-llm-jobs. */
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { Worker, type NativeConnection } from '@temporalio/worker';
import { LlmJobsPlugin, type ActivitiesOptions } from 'temporal-llm-jobs';

export interface WorkerSettings extends ActivitiesOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  /** Encrypts what Temporal sees; the client needs the same. @default readable */
  readonly dataConverter?: DataConverter;
  /** Activities of your own. */
  readonly activities?: object;
  /** @default workflows.ts of this folder */
  readonly workflowsPath?: string;
}

const OWN_WORKFLOWS = fileURLToPath(new URL('workflows.ts', import.meta.url));

export function createWorker({
  connection,
  namespace,
  taskQueue,
  dataConverter,
  activities,
  workflowsPath = OWN_WORKFLOWS,
  ...options
}: WorkerSettings): Promise<Worker> {
  return Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowsPath,
    ...(activities && { activities }),
    ...(dataConverter && { dataConverter }),
    plugins: [new LlmJobsPlugin(options)],
  });
}
