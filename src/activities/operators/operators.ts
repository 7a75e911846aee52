/** What people and scripts ask of a worker without a workflow. */
import { activityInfo, getClient } from '@temporalio/activity';
import type { FoundOrphan, OperatorActivities } from '../../contract/activities/operators.js';
import { batchResultSchema, type BatchResult } from '../../contract/batch.js';
import { failure } from '../../contract/failures.js';
import { findOrphans } from '../../orphans/find-orphans.js';
import { BATCHES } from '../../provider/job-kinds.js';
import { retrieveJob } from '../calls/jobs.js';
import { nothingNew } from '../calls/nothing-new.js';
import { providerApi } from '../calls/provider-api.js';
import { collectBatch } from '../collect/batch-results.js';
import type { ActivityContext } from '../runtime/context.js';
import { withHeartbeat } from '../runtime/heartbeat.js';
import { watchInterval } from '../sweep/trust.js';
import { collectInputOf, orphansInputOf } from './inputs.js';

const DAY_MS = 24 * 60 * 60 * 1_000;
/** As by default in the spec of a run. */
const SETTLE_FOR_MS = 15 * 60 * 1_000;

export class OperatorActivityGroup implements OperatorActivities {
  readonly #context: ActivityContext;

  constructor(context: ActivityContext) {
    this.#context = context;
  }

  async findOrphans(input?: unknown): Promise<readonly FoundOrphan[]> {
    const { provider, days, cancel } = orphansInputOf(input);
    const { client: openai } = providerApi(this.#context, provider).provider;
    const since = new Date(Date.now() - days * DAY_MS);
    return withHeartbeat(() => findOrphans({ temporal: getClient(), openai, since, cancel }));
  }

  async collectBatch(input: unknown): Promise<BatchResult> {
    const { id, provider, outputUri = null } = collectInputOf(input);
    const api = providerApi(this.#context, provider);
    const { value: batch, error } = await retrieveJob(BATCHES, api, id);
    if (error) throw api.failure('batches.retrieve', error);
    const { status, requestCounts: counts, inputFileId, timestamps } = batch;
    if (!BATCHES.statuses.isEnd(status)) {
      const nowMs = activityInfo().currentAttemptScheduledTimestampMs;
      throw nothingNew(status, { status, counts }, watchInterval(timestamps, nowMs, this.#context.poll, Math.random()));
    }
    if (status === 'failed') {
      throw failure('BatchFailed', `${id} ended as failed`, { batchId: id, errors: batch.errors });
    }
    const { result } = await withHeartbeat(() =>
      collectBatch(api, this.#context.storage, {
        provider,
        batch,
        settleForMs: SETTLE_FOR_MS,
        // Only a file that can be read tells which requests are missing.
        input: { requests: inputFileId === null ? null : counts.total, model: batch.model, fileId: inputFileId ?? '' },
        outputUri,
        cancellation: null,
        warnings: [],
      }),
    );
    return batchResultSchema.parse(result);
  }
}
