import type { Client } from '@temporalio/client';
import type { PollBounds } from '../calls/poll-interval.js';
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
  /** Bounds of the interval at which a job is looked at by itself. */
  readonly poll: PollBounds;
  /** How often it is checked that the runs of known jobs are open, in seconds. */
  readonly checkRunsEvery: number;
}
