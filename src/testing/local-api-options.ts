import type { BatchTiming } from './batches/batch-timing.js';
import type { Clock } from './clock.js';
import type { FineTuningTiming } from './fine-tuning/fine-tuning-timing.js';
import type { LocalApiLimits } from './limits.js';

export interface LocalApiOptions {
  /** The only key that is accepted. @default 'sk-local' */
  readonly apiKey?: string;
  /** @default real time */
  readonly clock?: Clock;
  /** Fixes ids, jitter, answers and their order. @default 1 */
  readonly seed?: number;
  /** @default 0: any free port */
  readonly port?: number;
  readonly batches?: Partial<BatchTiming>;
  readonly fineTuning?: Partial<FineTuningTiming>;
  /** From an upload until the file's status is `processed`, on the clock. @default 0 */
  readonly fileProcessingMs?: number;
  readonly limits?: Partial<LocalApiLimits>;
  /** Gets one line a request, e.g. `console`. @default none */
  readonly logger?: { info: (message: string) => void };
}
