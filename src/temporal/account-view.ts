/**
 * What the watch of an account saw last. It is in the heartbeat details of its sweep: the next sweep starts from it, and
 * whoever describes the run of the watch can read it, for any number of jobs at once and without history.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { z } from 'zod';
import type { WatchedJob, WatchedKind } from '../contract/account-watch.js';
import { isOpenRun } from './server.js';

export interface AccountView {
  /** Epoch seconds, on Temporal's clock: when the sweep began. */
  readonly at: number;
  /** Epoch seconds, on the provider's clock: when each kind of list was read last. */
  readonly listedAt: Readonly<Partial<Record<WatchedKind, number>>>;
  /** Jobs that have not ended, oldest first. */
  readonly jobs: readonly WatchedJob[];
  /** Ids of jobs that have ended, and whose runs were told. */
  readonly told: readonly string[];
}

/**
 * Jobs that are kept. More would come near the server's limit of 2 MB. The runs of those that are not kept look for
 * themselves.
 */
const MAX_JOBS = 15_000;

/** Attempts of a workflow task that may fail, for example while a new version of a worker is put in place. */
const MAX_ATTEMPTS = 5;

const jobSchema = z
  .tuple([
    z.enum(['batches', 'fineTuning']),
    z.string(),
    z.string(),
    z.string(),
    z.number().nullable(),
    z.number().nullable(),
    z.tuple([z.number(), z.number(), z.number()]).nullable(),
    z.number(),
    z.tuple([z.number(), z.number().nullable()]).nullable(),
  ])
  .transform(([kind, id, workflowId, status, createdAt, expiresAt, counts, confirmedAt, steps]): WatchedJob => {
    const common = { kind, id, workflowId, status, createdAt, expiresAt, confirmedAt };
    return {
      ...common,
      counts: counts && { total: counts[0], completed: counts[1], failed: counts[2] },
      steps: steps && { done: steps[0], total: steps[1] },
    };
  });

const viewSchema = z.object({
  at: z.number(),
  listedAt: z.partialRecord(z.enum(['batches', 'fineTuning']), z.number()),
  jobs: z.array(jobSchema),
  told: z.array(z.string()),
});
const detailsSchema = z.object({ view: z.string() });
const timeSchema = z.object({ at: z.number() });

/** The view as heartbeat details. */
export function encodeView({ at, listedAt, jobs, told }: AccountView): {
  readonly at: number;
  readonly open: number;
  readonly view: string;
} {
  const rows = jobs.slice(-MAX_JOBS).map((job) => {
    const { kind, id, workflowId, status, createdAt, expiresAt, counts, confirmedAt, steps } = job;
    const answered = counts && [counts.total, counts.completed, counts.failed];
    const trained = steps && [steps.done, steps.total];
    return [kind, id, workflowId, status, createdAt, expiresAt, answered, confirmedAt, trained];
  });
  const packed = gzipSync(JSON.stringify({ at, listedAt, jobs: rows, told })).toString('base64');
  return { at, open: jobs.length, view: packed };
}

/** When the view in heartbeat details was seen, without unpacking it; null for details of another kind. */
export function timeOfView(details: unknown): number | null {
  return timeSchema.safeParse(details).data?.at ?? null;
}

/** Null for details of another kind. */
export function decodeView(details: unknown): AccountView | null {
  const { data } = detailsSchema.safeParse(details);
  if (!data) return null;
  try {
    return viewSchema.parse(JSON.parse(gunzipSync(Buffer.from(data.view, 'base64')).toString()));
  } catch {
    return null;
  }
}

export interface AccountWatch {
  readonly isRunning: boolean;
  /** Its workflow task fails again and again, as on a worker that does not have `watchAccount`. */
  readonly isFailing: boolean;
  /** Null where it has not looked yet. */
  readonly view: AccountView | null;
}

/**
 * A watch, and what it saw last.
 *
 * @param watchId its workflow id
 * @throws the errors of the client if Temporal cannot be reached
 */
export async function readWatch(client: Client, watchId: string): Promise<AccountWatch> {
  try {
    const { raw, status } = await client.workflow.getHandle(watchId).describe();
    const isRunning = isOpenRun(status.name);
    const isFailing = (raw.pendingWorkflowTask?.attempt ?? 0) > MAX_ATTEMPTS;
    const { payloadCodecs, payloadConverter } = client.options.loadedDataConverter;
    for (const { heartbeatDetails } of raw.pendingActivities ?? []) {
      let payloads = heartbeatDetails?.payloads ?? [];
      for (const codec of payloadCodecs.toReversed()) payloads = await codec.decode(payloads);
      const view = payloads[0] ? decodeView(payloadConverter.fromPayload(payloads[0])) : null;
      if (view) return { isRunning, isFailing, view };
    }
    return { isRunning, isFailing, view: null };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { isRunning: false, isFailing: false, view: null };
    throw error;
  }
}
