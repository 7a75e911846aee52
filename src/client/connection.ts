/** How the client finds Temporal, and how soon it finds it again. */
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';

/** By gRPC's default, a server that comes back after minutes is asked again only after up to two more. */
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 500, 'grpc.max_reconnect_backoff_ms': 5_000 };

export interface TemporalTarget {
  readonly connectionOptions: ClientConnectConfig['connectionOptions'] & { readonly channelArgs: typeof RECONNECT };
  readonly address: string;
  readonly namespace: string;
}

/**
 * The server that the standard environment variables (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, …) or a profile of
 * Temporal's configuration file name.
 */
export function temporalTarget(): TemporalTarget {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const { address = 'localhost:7233' } = connectionOptions;
  return { connectionOptions: { ...connectionOptions, channelArgs: RECONNECT }, address, namespace };
}
