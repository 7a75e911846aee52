/**
 * From an event to the run that waits for its job. The event is a hint: its run reads the job itself, as it does at each
 * poll.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type OpenAI from 'openai';
import { JOB_KEY } from '../contract/job-key.js';
import type { JobSnapshot } from '../contract/snapshots.js';
import type { JobKind } from '../provider/job-kinds.js';
import { httpStatusOf, parseReply } from '../provider/reply.js';
import { ownerHere, wakeOwner } from '../temporal/owner-run.js';
import { isJobEvent, JOB_EVENTS, type JobEventType } from './event-types.js';
import type { Handled } from './handling.js';

/** A request for the job. The provider waits a few seconds for the answer to its delivery. */
const READ_MS = 5_000;

/**
 * Waits before the job is read again, where it is not found or has not ended. What a read shows may lag behind the event
 * by a moment. More is not waited for: a job that stays unknown is a sample or of another project, and another answer
 * than 2xx would have it delivered for three days.
 */
const REREAD_MS = [250, 1_000];

/** How long Temporal may take for all that it is asked. Its calls end then, so that they do not pile up. */
const TEMPORAL_MS = 5_000;

/** Ids as providers have them. Others are not put into a path: no id contains a slash, nor only dots. */
const JOB_ID = /^(?=.*[\w:=~-])[\w.:=~-]{1,512}$/;

export interface Accounts {
  readonly temporal: Client;
  readonly openai: OpenAI;
}

type ReadableKind = Pick<JobKind<JobSnapshot>, 'path' | 'schema' | 'statuses'>;

/** Wakes the run that owns the job of a verified event. Never rejects. */
export async function wakeOwnerOfJob(accounts: Accounts, event: unknown): Promise<Handled> {
  const { type, data } = fieldsOf(event);
  if (typeof type !== 'string' || type === '') return { handling: 'malformed' };
  if (!isJobEvent(type)) return { handling: 'unknownType', type };
  const jobId = fieldsOf(data).id;
  if (typeof jobId !== 'string' || !JOB_ID.test(jobId)) return { handling: 'malformed', type };
  const known = { type, jobId };
  try {
    return { ...known, ...(await wake(accounts, type, jobId)) };
  } catch (error) {
    return { ...known, handling: 'unavailable', error };
  }
}

/** What an event is about, as far as it can be read. */
export function subjectOf(event: unknown): Pick<Handled, 'type' | 'jobId'> {
  const { type, data } = fieldsOf(event);
  const jobId = fieldsOf(data).id;
  return {
    ...(typeof type === 'string' && { type }),
    ...(typeof jobId === 'string' && JOB_ID.test(jobId) && { jobId }),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

async function wake({ openai, temporal }: Accounts, type: JobEventType, jobId: string): Promise<Handled> {
  const job = await readJob(openai, JOB_EVENTS[type], jobId);
  if (job === null) return { handling: 'unknownJob' };
  const ask = async (): Promise<Handled> => {
    const owner = await ownerHere(temporal, job.metadata[JOB_KEY]);
    if (owner === null) return { handling: 'foreign' };
    const isOpen = await wakeOwner(temporal, owner);
    return { handling: isOpen ? 'woken' : 'ownerEnded', workflowId: owner.workflowId };
  };
  return temporal.withDeadline(Date.now() + TEMPORAL_MS, ask);
}

/** The job as it is read last; null if the provider does not know it. @throws if it cannot be read */
async function readJob(openai: OpenAI, kind: ReadableKind, id: string): Promise<JobSnapshot | null> {
  for (let reads = 0; ; reads += 1) {
    const job = await readOnce(openai, kind, id);
    if (job !== null && kind.statuses.isEnd(job.status)) return job;
    const wait = REREAD_MS[reads];
    if (wait === undefined) return job;
    await sleep(wait);
  }
}

async function readOnce(openai: OpenAI, kind: ReadableKind, id: string): Promise<JobSnapshot | null> {
  try {
    const value = await openai.get(`${kind.path}/${id}`, { timeout: READ_MS });
    const reply = parseReply(kind.schema, { value });
    if (reply.error) throw new Error(reply.error.message);
    return reply.value;
  } catch (error) {
    if (httpStatusOf(error) === 404) return null;
    throw error;
  }
}
