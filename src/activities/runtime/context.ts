/** What every activity is made with. */
import type { PollBounds } from '../calls/poll-interval.js';
import type { Providers } from '../../provider/providers.js';
import type { Storage } from '../../storage/storage.js';

export interface ActivityContext {
  readonly providers: Providers;
  readonly storage: Storage;
  readonly poll: PollBounds;
}
