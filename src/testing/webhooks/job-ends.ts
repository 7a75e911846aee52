/** When jobs end, for webhooks: the state of a job is derived from its timeline, which nothing else watches. */
import { isBatchEnd } from '../batches/batch-timeline.js';
import { plannedBatchTransitions } from '../batches/batch-record.js';
import type { BatchStore } from '../batches/batch-store.js';
import { timelineOf } from '../fine-tuning/fine-tuning-record.js';
import type { FineTuningStore } from '../fine-tuning/fine-tuning-store.js';
import { batchEvent, fineTuningEvent, type JobEventType } from './event-types.js';
import { isFineTuningEnd } from '../fine-tuning/fine-tuning-timeline.js';

/** The jobs of the API. */
export interface Jobs {
  readonly batches: BatchStore;
  readonly fineTuningJobs: FineTuningStore;
}

export interface JobEnd {
  readonly jobId: string;
  readonly type: JobEventType;
  /** Epoch ms. */
  readonly at: number;
}

/** The transitions of a job, past and future, each with its event if it is an end. */
interface JobCourse {
  readonly jobId: string;
  readonly transitions: readonly { readonly at: number; readonly end: JobEventType | undefined }[];
}

export class JobEnds {
  readonly #told = new Set<string>();

  /**
   * The ends that have come since the last call, in their order, and the time of the next transition of any job, which
   * may be one.
   *
   * @param now epoch ms; the jobs have been advanced to it
   */
  since(jobs: Jobs, now: number): { ends: JobEnd[]; next: number } {
    const ends: JobEnd[] = [];
    let next = Infinity;
    for (const { jobId, transitions } of this.#untold(jobs)) {
      const last = transitions.findLast(({ at }) => at <= now);
      if (last?.end === undefined) {
        next = Math.min(next, transitions.find(({ at }) => at > now)?.at ?? Infinity);
        continue;
      }
      this.#told.add(jobId);
      ends.push({ jobId, type: last.end, at: last.at });
    }
    return { ends: ends.toSorted((a, b) => a.at - b.at), next };
  }

  #untold({ batches, fineTuningJobs }: Jobs): JobCourse[] {
    const isUntold = ({ id }: { readonly id: string }): boolean => !this.#told.has(id);
    return [
      ...batches
        .list()
        .filter(isUntold)
        .map((record) => ({
          jobId: record.id,
          transitions: plannedBatchTransitions(record).map(({ status, at }) => ({
            at,
            end: isBatchEnd(status) ? batchEvent(status) : undefined,
          })),
        })),
      ...fineTuningJobs
        .list()
        .filter(isUntold)
        .map((record) => ({
          jobId: record.id,
          transitions: timelineOf(record).transitions.map(({ status, at }) => ({
            at,
            end: isFineTuningEnd(status) ? fineTuningEvent(status) : undefined,
          })),
        })),
    ];
  }
}
