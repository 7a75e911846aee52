import { z } from 'zod';
import type { BatchSnapshot } from '../../contract/snapshots.js';
import { BATCH_STATUS_WORDS } from './status-words.js';
import { ifReadable, wireCount, wireId, wireMetadata, wireModel, wireStatusIn, wireText, wireTime } from './wire.js';

const batchError = z.object({
  code: ifReadable(z.coerce.string().pipe(wireText(200))),
  line: ifReadable(z.number()),
  message: ifReadable(wireText()),
  param: ifReadable(wireText(200)),
});

/**
 * Most errors of a batch that are kept. Every line of a file may be wrong, and the snapshot becomes part of the
 * history.
 */
const MAX_ERRORS = 100;

const requestCounts = z.object({ total: wireCount, completed: wireCount, failed: wireCount });

const usage = z.object({
  input_tokens: wireCount,
  output_tokens: wireCount,
  total_tokens: wireCount,
});

/** Reads a batch leniently, as any provider may send it. Times are epoch seconds. */
export const batchObjectSchema: z.ZodType<BatchSnapshot> = z
  .object({
    id: wireId,
    status: wireStatusIn(BATCH_STATUS_WORDS),
    model: ifReadable(wireModel),
    input_file_id: ifReadable(wireId),
    output_file_id: ifReadable(wireId),
    error_file_id: ifReadable(wireId),
    errors: ifReadable(z.object({ data: z.array(batchError).catch([]) })),
    request_counts: ifReadable(requestCounts),
    usage: ifReadable(usage),
    metadata: wireMetadata,
    created_at: ifReadable(wireTime),
    in_progress_at: ifReadable(wireTime),
    expires_at: ifReadable(wireTime),
    finalizing_at: ifReadable(wireTime),
    completed_at: ifReadable(wireTime),
    failed_at: ifReadable(wireTime),
    expired_at: ifReadable(wireTime),
    cancelling_at: ifReadable(wireTime),
    cancelled_at: ifReadable(wireTime),
  })
  .transform((batch) => ({
    id: batch.id,
    status: batch.status,
    model: batch.model ?? null,
    inputFileId: batch.input_file_id ?? null,
    outputFileId: batch.output_file_id ?? null,
    errorFileId: batch.error_file_id ?? null,
    errors: (batch.errors?.data ?? []).slice(0, MAX_ERRORS).map((error) => ({
      code: error.code ?? null,
      line: error.line ?? null,
      message: error.message ?? null,
      param: error.param ?? null,
    })),
    requestCounts: batch.request_counts ?? { total: 0, completed: 0, failed: 0 },
    usage: batch.usage ?? null,
    metadata: batch.metadata,
    timestamps: {
      createdAt: batch.created_at ?? null,
      inProgressAt: batch.in_progress_at ?? null,
      expiresAt: batch.expires_at ?? null,
      finalizingAt: batch.finalizing_at ?? null,
      completedAt: batch.completed_at ?? null,
      failedAt: batch.failed_at ?? null,
      expiredAt: batch.expired_at ?? null,
      cancellingAt: batch.cancelling_at ?? null,
      cancelledAt: batch.cancelled_at ?? null,
    },
  }));
