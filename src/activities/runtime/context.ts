import type { Providers } from '../../provider/providers.js';
import type { Storage } from '../../storage/storage.js';
import type { PollBounds } from '../calls/poll-interval.js';

/** What the activities work with. */
export interface ActivityContext {
  readonly providers: Providers;
  readonly storage: Storage;
  /** Bounds of the poll interval for specs that set none. */
  readonly poll: PollBounds;
}
