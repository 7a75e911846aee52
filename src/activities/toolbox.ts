/** What every activity is made with. */
import type { PollBounds } from '../jobs/poll-interval.js';
import type { Providers } from '../providers/providers.js';
import type { Storage } from '../storage/storage.js';

export interface Toolbox {
  readonly providers: Providers;
  readonly storage: Storage;
  readonly poll: PollBounds;
}
