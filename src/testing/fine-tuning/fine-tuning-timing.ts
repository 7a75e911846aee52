export interface FineTuningTiming {
  jitter: number;
}
