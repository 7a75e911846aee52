/** How answers of the Temporal server are read, the same by workers and by application code. */

/** What stands for the cluster in a key where the server does not tell its id. */
const UNKNOWN_CLUSTER = '-';

/** GRPC's `PERMISSION_DENIED` and `UNIMPLEMENTED`: the server will not tell the id of its cluster later either. */
const NEVER_TOLD: readonly unknown[] = [7, 12];

/** The part of Temporal's service that tells the id of the cluster. */
interface ClusterService {
  getClusterInfo(request: Record<string, never>): Promise<{ readonly clusterId?: string | null }>;
}

/** Ids of the clusters that were asked. */
const clusters = new WeakMap<ClusterService, string>();

/**
 * The id of the cluster that a service belongs to, asked once; `-` where the server does not tell it.
 *
 * @throws the error of the call if Temporal cannot be reached
 */
export async function clusterIdOf(service: ClusterService): Promise<string> {
  const known = clusters.get(service);
  if (known !== undefined) return known;
  let id: string | null | undefined;
  try {
    ({ clusterId: id } = await service.getClusterInfo({}));
  } catch (error) {
    if (!NEVER_TOLD.includes((error as { readonly code?: unknown }).code)) throw error;
  }
  const cluster = id || UNKNOWN_CLUSTER;
  clusters.set(service, cluster);
  return cluster;
}

const CLOSED = ['COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED', 'CONTINUED_AS_NEW', 'TIMED_OUT'];

/** Whether a run with this status can go on: it is running, paused, or has a status that is not known yet. */
export function isOpenRun(status: string): boolean {
  return !CLOSED.includes(status);
}
