import { isGrpcServiceError } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';

/** Codes of gRPC. */
const INVALID_ARGUMENT: number = 3;
const NOT_FOUND: number = 5;

/** A server that does not answer for this long is left to the worker, which retries. */
const MAX_WAIT_MS = 10_000;

/**
 * Checks that the namespace exists, which the runtime would tell in a panic's words. A server that does not answer this
 * question, or may not, is no reason not to start.
 *
 * @throws Error with one line that names the variable
 */
export async function assertNamespace(connection: NativeConnection, namespace: string, address: string): Promise<void> {
  try {
    await connection.withDeadline(Date.now() + MAX_WAIT_MS, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
  } catch (error) {
    const code: number | null = isGrpcServiceError(error) ? error.code : null;
    if (code !== NOT_FOUND && code !== INVALID_ARGUMENT) return;
    const message = `the namespace "${namespace}" does not exist at ${address} (see TEMPORAL_NAMESPACE)`;
    throw new Error(message, { cause: error });
  }
}
