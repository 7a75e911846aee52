import type { WatchMode } from '../../contract/spec-fields.js';
import type { Providers } from '../../provider/providers.js';
import type { Storage } from '../../storage/storage.js';
import type { PollBounds } from '../calls/poll-interval.js';

/** How jobs are watched that are under way. */
export interface WatchOptions {
  /** By the account's lists where the provider has them with metadata, or each by its run. */
  readonly mode: WatchMode;
  /** How often a run checks that its job is watched, in milliseconds. */
  readonly netMs: number;
  /** What is done with a job whose run has ended. */
  readonly onOrphan: 'leave' | 'cancel';
}

/** What the activities work with. */
export interface ActivityContext {
  readonly providers: Providers;
  readonly storage: Storage;
  /** Bounds of the poll interval for specs that set none. */
  readonly poll: PollBounds;
  readonly watch: WatchOptions;
}
