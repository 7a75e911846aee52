/** Every error leaves an activity as a failure of a known type, without secrets. */
import { Context, log } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { failure } from '../../contract/failures.js';
import { bounded } from '../../contract/text.js';
import { redact } from '../../provider/redact.js';
import { StorageError } from '../../storage/storage-error.js';
import { countApiError } from './api-errors-metric.js';
import type { ActivityContext } from './context.js';
import { withHeartbeat } from './heartbeat.js';
import { withPatience } from './patience.js';

// oxlint-disable-next-line typescript/no-explicit-any -- the parameters of any activity
type Activity = (...args: any[]) => Promise<unknown>;

/** Longest URI that a failure's details contain, in characters. */
const MAX_URI_LENGTH = 300;

/**
 * When the next worker takes over. Temporal's own delay grows with all attempts, and polls that found nothing new are
 * attempts, too.
 */
const TAKEN_OVER_AFTER_MS = 1_000;

/**
 * The public methods of a group of activities as functions that can be registered, with heartbeats and known failures.
 */
export function withFailures<Group extends { [Name in keyof Group]: Activity }>(
  group: Group,
  context: ActivityContext,
): Group {
  // Methods are properties of the prototype, where a spread of the group would not find them.
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(group)).filter((name) => name !== 'constructor');
  return Object.fromEntries(
    names.map((name) => {
      const activity = group[name as keyof Group].bind(group);
      return [name, (...args: unknown[]) => runActivity(name, activity, args, context)];
    }),
  ) as Group;
}

function runActivity(
  name: string,
  activity: Activity,
  args: readonly unknown[],
  context: ActivityContext,
): Promise<unknown> {
  return withHeartbeat(() =>
    withPatience(name, async () => {
      try {
        return await activity(...args);
      } catch (error) {
        countApiError(error, args[0]);
        throw toFailure(error, context);
      }
    }),
  );
}

function toFailure(error: unknown, context: ActivityContext): Error {
  if (error instanceof ApplicationFailure) return error;
  const { cancellationSignal, cancellationDetails } = Context.current();
  if (cancellationSignal.aborted) {
    // The shutdown of a worker must not look like a cancellation by a person: the next worker takes over.
    if (cancellationDetails?.cancelRequested) return new CancelledFailure('Cancelled');
    return failure('WorkerStopped', 'The worker shut down during the activity; the next attempt takes over', null, {
      nextRetryDelay: TAKEN_OVER_AFTER_MS,
    });
  }
  const secrets = context.providers.secrets();
  const message = bounded(redact(error instanceof Error ? error.message : String(error), secrets));
  if (error instanceof StorageError) {
    const uri = bounded(redact(error.uri, secrets), MAX_URI_LENGTH);
    return failure(error.retryable ? 'StorageUnavailable' : 'StorageRefused', message, { code: error.code, uri });
  }
  const name = error instanceof Error ? error.name : typeof error;
  log.error('Unexpected error in an activity', { errorName: name, errorMessage: message });
  return failure('UnexpectedError', `${name}: ${message}`, { name });
}
