/** Why requests of a batch have no answer, counted from the errors file. */
import type { FileRef } from '../contract/file-ref.js';
import { readResults } from '../results/read-results.js';
import type { Storage } from '../storage/storage.js';

export interface FailureReason {
  /** The provider's code, or the library's; null where there is none. */
  readonly code: string | null;
  /** HTTP status; null where there was no response. */
  readonly status: number | null;
  readonly requests: number;
  /** The message of the first of these requests, whose `custom_id` is `example`. */
  readonly message: string;
  readonly example: string;
}

export interface FailureReasons {
  /** Those of most requests first. */
  readonly reasons: readonly FailureReason[];
  /** Requests for reasons that are not among them. */
  readonly others: number;
}

/** Reasons that are told apart. A provider may send a code of its own for every request. */
const MAX_KNOWN = 1_000;
const MAX_SHOWN = 25;

/**
 * Reads the file once, in memory that does not grow with it.
 *
 * @throws FileChangedError if the file was changed or deleted since; StorageError
 */
export async function readReasons(storage: Storage, errors: FileRef): Promise<FailureReasons> {
  const known = new Map<string, FailureReason>();
  let requests = 0;
  for await (const result of readResults({ output: null, errors }, { storage })) {
    requests += 1;
    if (result.ok) continue;
    const { code, status, message } = result.error;
    const key = JSON.stringify([code, status]);
    const reason = known.get(key);
    if (reason) known.set(key, { ...reason, requests: reason.requests + 1 });
    else if (known.size < MAX_KNOWN) known.set(key, { code, status, requests: 1, message, example: result.customId });
  }
  const reasons = [...known.values()].toSorted((a, b) => b.requests - a.requests).slice(0, MAX_SHOWN);
  return { reasons, others: requests - reasons.reduce((sum, reason) => sum + reason.requests, 0) };
}
