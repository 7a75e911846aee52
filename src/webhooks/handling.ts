/**
 * How a delivery was handled.
 *
 * - `woken`: the run that owns the job was told to look at it.
 * - `ownerEnded`: that run has ended.
 * - `foreign`: the job belongs to another namespace, another cluster, or nobody that is known here.
 * - `unknownJob`: the provider does not know the job, as with the samples of its tests.
 * - `unknownType`: an event that is not the end of a batch or of a fine-tuning job.
 * - `duplicate`: a delivery of the same id was handled before.
 * - `forged`: no secret made any of its signatures.
 * - `stale`: its timestamp is further from the time here than the tolerance.
 * - `malformed`: no webhook, or one that cannot be read, though it may be signed.
 * - `tooLarge`: its body is larger than any webhook's.
 * - `wrongMethod`: the request is no POST.
 * - `unavailable`: the provider or Temporal did not answer; the provider delivers it again.
 */
export type DeliveryHandling = keyof typeof STATUS_OF_HANDLING;

/** The status of the answer. The provider repeats, for days, whatever is answered with another one than 2xx. */
export const STATUS_OF_HANDLING = {
  woken: 200,
  ownerEnded: 200,
  foreign: 200,
  unknownJob: 200,
  unknownType: 200,
  duplicate: 200,
  forged: 401,
  stale: 400,
  malformed: 400,
  tooLarge: 413,
  wrongMethod: 405,
  unavailable: 503,
} as const;

/** A delivery, and how it was handled. Nothing but its id is known of one that is not verified. */
export interface HandledDelivery {
  /** What became of it. */
  readonly handling: DeliveryHandling;
  /** The header `webhook-id`; null where there is none that can be read. */
  readonly id: string | null;
  /** Type of the event, such as `batch.completed`; null for a delivery that is not verified. */
  readonly type: string | null;
  /** Id of the job; null for a delivery that is not verified, or not about a job. */
  readonly jobId: string | null;
  /** Workflow id of the run that owns the job; null where it is not known. */
  readonly workflowId: string | null;
  /** Why it is `unavailable`; null otherwise. It may contain what the provider or Temporal said. */
  readonly error: unknown;
}

/** What is known of a delivery so far. */
export type Handled = Pick<HandledDelivery, 'handling'> & Partial<HandledDelivery>;
