import type { BatchTiming } from './batches/batch-timing.js';
import type { Clock } from './clock.js';
import type { FineTuningTiming } from './fine-tuning/fine-tuning-timing.js';
import type { LocalApiLimits } from './limits.js';

export interface LocalApiOptions {
  /** The only key that is accepted. @default 'sk-local' */
  apiKey?: string;
  /** @default real time */
  clock?: Clock;
  /** Fixes ids, jitter, answers and their order. @default 1 */
  seed?: number;
  /** @default 0: any free port */
  port?: number;
  batches?: Partial<BatchTiming>;
  fineTuning?: Partial<FineTuningTiming>;
  /** From an upload until the file's status is `processed`, on the clock. @default 0 */
  fileProcessingMs?: number;
  limits?: Partial<LocalApiLimits>;
  /** Gets one line a request, e.g. `console`. @default none */
  logger?: { info: (message: string) => void };
}
