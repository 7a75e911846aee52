import type { Client } from '@temporalio/client';
import type { ProviderApi } from '../calls/provider-api.js';
import type { AccountMemory } from './memory.js';

export interface SweepOptions {
  readonly api: ProviderApi;
  readonly client: Client;
  readonly taskQueue: string;
  readonly memory: AccountMemory;
  /** Epoch seconds, on Temporal's clock. */
  readonly now: number;
  readonly onOrphan: 'leave' | 'cancel';
  /** How often it is checked that the runs of known jobs are open, in seconds. */
  readonly checkRunsEvery: number;
}
