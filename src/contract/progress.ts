/** Progress and cancellation, the same for all workflows. */
import { z } from 'zod';

/** Who cancelled a run, why and when. */
export const cancellationSchema = z.object({
  /** The `cancel` signal, the spec's `deadline`, or Temporal's own cancellation of the workflow. */
  by: z.enum(['signal', 'deadline', 'workflow']),
  reason: z.string().nullable(),
  /** Epoch seconds. */
  at: z.number(),
});
export type Cancellation = z.infer<typeof cancellationSchema>;

/** The step that a workflow is at. */
export type Phase = 'checking' | 'uploading' | 'creating' | 'waiting' | 'cancelling' | 'collecting' | 'done';

/** The fields that the `progress` query of every workflow returns. */
export interface CommonProgress {
  readonly phase: Phase;
  /** The provider's status as last read; `not_created` before there is a job. */
  readonly status: string;
  /** Null before there is a job. */
  readonly jobId: string | null;
  /** Epoch seconds of the last read that found something new; null before the first. */
  readonly lastCheckedAt: number | null;
  readonly cancelRequested: boolean;
  readonly cancellation: Cancellation | null;
  readonly warnings: readonly string[];
}
