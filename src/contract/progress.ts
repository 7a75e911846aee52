/** What every lifecycle tells about itself, whatever the job. */
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

/** What a workflow is doing. */
export type Phase = 'checking' | 'uploading' | 'creating' | 'waiting' | 'cancelling' | 'collecting' | 'done';

/** The part of `progress` that all lifecycles share. */
export interface CommonProgress {
  readonly phase: Phase;
  /** The provider's status as last seen; `not_created` before there is a job. */
  readonly status: string;
  readonly jobId: string | null;
  /** Epoch seconds of the last read that brought something new; null before the first. */
  readonly lastCheckedAt: number | null;
  readonly cancelRequested: boolean;
  readonly cancellation: Cancellation | null;
  readonly warnings: readonly string[];
}
