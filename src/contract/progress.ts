/** Progress and cancellation, the same for all workflows. */
import * as z from 'zod';

const cancellationFields = {
  /** The `cancel` signal, the spec's `deadline`, or Temporal's own cancellation of the workflow. */
  by: z.enum(['signal', 'deadline', 'workflow']),
  /** What the signal was given; null where there is none. */
  reason: z.string().nullable(),
  /** Epoch seconds. */
  at: z.number(),
} as const;

export type CancellationSchema = z.ZodObject<typeof cancellationFields>;
/** Who cancelled a run, why and when. */
export const cancellationSchema: CancellationSchema = z.object(cancellationFields);
/** Who cancelled a run, why and when. */
export type Cancellation = z.infer<typeof cancellationSchema>;

/** The step that a workflow is at. */
export type Phase = 'checking' | 'uploading' | 'creating' | 'waiting' | 'cancelling' | 'collecting' | 'done';

/**
 * What needs a person's attention: something that the run asks for is refused, or gets no answer. The run goes on, asks
 * again at growing intervals of up to an hour, and continues by itself when it is answered.
 */
export interface Attention {
  /** Epoch seconds of the first refusal. */
  readonly since: number;
  /** What the run asks for. */
  readonly operation: 'read' | 'cancel' | 'search' | 'collect' | 'plan' | 'merge' | 'record';
  /** The latest refusal in the words of the provider or of storage. */
  readonly message: string;
}

/** The provider's counts of batches that are under way. */
export interface AnsweredSoFar {
  /** Requests of the batches. */
  readonly total: number;
  /** Answered. */
  readonly completed: number;
  /** Answered with an error. */
  readonly failed: number;
  /** Epoch seconds. */
  readonly asOf: number;
}

/** The fields that the `progress` query of every workflow returns. */
export interface CommonProgress {
  /** The step that the run is at. */
  readonly phase: Phase;
  /** The provider's status as last read; `not_created` before there is a job. */
  readonly status: string;
  /** Null before there is a job. */
  readonly jobId: string | null;
  /** Epoch seconds of the last read that found something new; null before the first. */
  readonly lastCheckedAt: number | null;
  /**
   * Workflow id of the watch that wakes the run when its job has begun or ended, and that knows the job's latest counts;
   * null where the run looks at its job itself.
   */
  readonly watchedBy: string | null;
  /** Whether the run was told to cancel. */
  readonly cancelRequested: boolean;
  /** Who cancelled the run; null if nobody did. */
  readonly cancellation: Cancellation | null;
  /** Null while everything that the run asks for is answered. */
  readonly attention: Attention | null;
  /** Sentences for people: unknown statuses, lost files, anomalies. */
  readonly warnings: readonly string[];
}
