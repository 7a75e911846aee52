/** The last line before Temporal: whatever an activity throws leaves it as a failure of a known type, without secrets. */
import { Context, log } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { failure } from '../../contract/failures.js';
import { bounded } from '../../contract/text.js';
import { redact } from '../../provider/redact.js';
import { StorageError } from '../../storage/storage-error.js';
import { withHeartbeat } from './heartbeat.js';
import type { ActivityContext } from './context.js';

// oxlint-disable-next-line typescript/no-explicit-any -- the parameters of any activity
type Activity = (...args: any[]) => Promise<unknown>;

/** The same activities, with heartbeats, and with their errors made into failures. */
export function withFailures<T extends Record<string, Activity>>(activities: T, context: ActivityContext): T {
  return Object.fromEntries(
    Object.entries(activities).map(([name, activity]) => [
      name,
      async (...args: unknown[]) => {
        try {
          return await withHeartbeat(() => activity(...args));
        } catch (error) {
          throw asFailure(error, context);
        }
      },
    ]),
  ) as T;
}

function asFailure(error: unknown, context: ActivityContext): Error {
  if (error instanceof ApplicationFailure) return error;
  const { cancellationSignal, cancellationDetails } = Context.current();
  if (cancellationSignal.aborted) {
    // A worker that shuts down must not look like a person who cancels: the next worker takes the attempt over.
    if (cancellationDetails?.cancelRequested) return new CancelledFailure('Cancelled');
    return failure('WorkerStopped', 'The worker stopped; another attempt follows', null);
  }
  const message = bounded(redact(error instanceof Error ? error.message : String(error), context.providers.secrets()));
  if (error instanceof StorageError) {
    const uri = bounded(redact(error.uri, context.providers.secrets()), 300);
    return failure(error.retryable ? 'StorageUnavailable' : 'StorageRefused', message, { code: error.code, uri });
  }
  const name = error instanceof Error ? error.name : typeof error;
  log.error('An activity failed unexpectedly', { errorName: name, errorMessage: message });
  return failure('UnexpectedError', `${name}: ${message}`, { name });
}
