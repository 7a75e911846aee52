/** The part of progress and results that all lifecycles share. */
import { z } from 'zod';

/** Why a run was cancelled. */
export const cancellationSchema = z.object({
  /** The `cancel` signal, the spec's `deadline`, or Temporal's own cancellation of the workflow. */
  by: z.enum(['signal', 'deadline', 'workflow']),
  reason: z.string().nullable(),
  /** Epoch seconds. */
  at: z.number(),
});
export type Cancellation = z.infer<typeof cancellationSchema>;

/** The stage of a run. */
export type Phase = 'checking' | 'uploading' | 'creating' | 'waiting' | 'cancelling' | 'collecting' | 'done';

/** The part of `progress` that all lifecycles share. */
export interface CommonProgress {
  readonly phase: Phase;
  /** The provider's status as last read; `not_created` before there is a job. */
  readonly status: string;
  readonly jobId: string | null;
  /** When the last read found a change, in epoch seconds; null before the first. */
  readonly lastCheckedAt: number | null;
  readonly cancelRequested: boolean;
  readonly cancellation: Cancellation | null;
  readonly warnings: readonly string[];
}
