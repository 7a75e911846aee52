import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';

/** A server that the environment or a profile names. */
export interface ExistingServer {
  address: string;
  namespace: string;
  connectionOptions: ClientConnectConfig['connectionOptions'];
  /** What named it, for people. */
  namedBy: string;
}

/** The server that `TEMPORAL_ADDRESS` or a profile of the Temporal configuration file names; undefined if neither names one. */
export function existingServer(env: NodeJS.ProcessEnv): ExistingServer | undefined {
  const overrideEnvVars = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars });
  const { address } = connectionOptions;
  if (!address) return undefined;
  const profile = env.TEMPORAL_PROFILE || 'default';
  const namedBy = env.TEMPORAL_ADDRESS ? 'TEMPORAL_ADDRESS' : `profile "${profile}" of the Temporal configuration`;
  return { address, namespace: namespace ?? 'default', connectionOptions, namedBy };
}
