/** Workers with versions, as deployments start them. */
import { NativeConnection, Worker } from '@temporalio/worker';
import { stageActivities } from '../../dev/stage/backend.js';
import { waitFor } from '../../dev/stage/wait-for.js';
import { WORKFLOW_BUNDLE } from '../../dev/stage/worker.js';

type Stage = Parameters<typeof stageActivities>[0];
type Behavior = 'PINNED' | 'AUTO_UPGRADE';

interface Server {
  readonly address: string;
  readonly namespace: string;
  readonly client: { readonly connection: unknown };
}

/** The deployment has the name of the task queue. */
export class Deployment {
  readonly taskQueue: string;
  readonly #server: Server;
  readonly #backend: Stage;
  readonly #behavior: Behavior;

  constructor(server: Server, backend: Stage, taskQueue: string, behavior: Behavior) {
    this.#server = server;
    this.#backend = backend;
    this.taskQueue = taskQueue;
    this.#behavior = behavior;
  }

  /**
   * Starts a worker, and sends new runs to it.
   *
   * @returns stops the worker
   */
  async deploy(buildId: string): Promise<() => Promise<void>> {
    const { address, namespace } = this.#server;
    const { taskQueue } = this;
    const connection = await NativeConnection.connect({ address });
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue,
      activities: stageActivities(this.#backend),
      workflowBundle: { codePath: WORKFLOW_BUNDLE },
      shutdownGraceTime: '1s',
      workerDeploymentOptions: {
        version: { deploymentName: taskQueue, buildId },
        useWorkerVersioning: true,
        defaultVersioningBehavior: this.#behavior,
      },
    });
    const running = worker.run();
    await waitFor(() => this.#setCurrent(buildId), `the deployment of ${buildId}`);
    return async () => {
      worker.shutdown();
      await running;
      await connection.close();
    };
  }

  /** Whether the server did it: it knows a version once its worker has polled. */
  async #setCurrent(buildId: string): Promise<boolean> {
    const { namespace, client } = this.#server;
    const { workflowService } = client.connection as {
      workflowService: { setWorkerDeploymentCurrentVersion: (request: object) => Promise<unknown> };
    };
    const request = { namespace, deploymentName: this.taskQueue, buildId };
    return workflowService.setWorkerDeploymentCurrentVersion(request).then(
      () => true,
      () => false,
    );
  }
}
