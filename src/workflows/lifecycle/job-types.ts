/** The types that the lifecycle of a job is generic over, and what it takes and passes on. */
import type { CheckedFile } from '../../contract/checked-file.js';
import type { Cancellation, CommonProgress } from '../../contract/progress.js';
import type { JobSnapshot } from '../../contract/snapshots.js';
import type { Duration } from '../../contract/duration.js';
import type { ResultState } from '../../contract/search-attributes.js';
import type { WatchMode } from '../../contract/spec-fields.js';

/** What flows through the lifecycle of one kind of job, in this order. */
export interface JobTypes {
  readonly spec: JobSpec;
  /** The input after its pre-flight check. */
  readonly checked: object;
  /** The ids of the input's files at the provider. */
  readonly uploaded: object;
  readonly job: JobSnapshot;
  /** The job's terminal statuses. */
  readonly end: string;
  /** What was collected; null where there was nothing to collect. */
  readonly collected: { readonly warnings: readonly string[] } | null;
  readonly result: ResultState & { readonly warnings: string[] };
  /** What the query `progress` and the update `look` answer. */
  readonly progress: CommonProgress;
}

/** The fields of a spec that the lifecycle itself depends on. */
export interface JobSpec {
  readonly provider: string;
  readonly outputUri?: string | undefined;
  readonly onAmbiguousCreate: 'fail' | 'createAgain';
  readonly vanishedAfter: Duration;
  readonly stuckAfter: Duration;
  readonly settleFor: Duration;
  readonly giveUpAfter: Duration;
  readonly watch?: WatchMode | undefined;
  readonly poll?: { readonly min?: Duration | undefined; readonly max?: Duration | undefined } | undefined;
}

/** What the collecting activities of all kinds of jobs take. */
export interface CollectContext {
  readonly provider: string;
  readonly outputUri: string | null;
  readonly settleForMs: number;
  readonly cancellation: Cancellation | null;
  readonly warnings: readonly string[];
}

/** A checked input file: in storage, or at the provider already. */
export type InputFile =
  { readonly fileId: string; readonly file?: undefined } | { readonly fileId?: undefined; readonly file: CheckedFile };
