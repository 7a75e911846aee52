import { ApplicationFailure, type ChildWorkflowFailure } from '@temporalio/workflow';

/** Codes and words by which providers say that too much is enqueued or spent for now. Open strings, matched loosely. */
const NO_CAPACITY = /token_limit_exceeded|enqueued token limit|rate_limit|insufficient_quota|quota|too_many/i;

/** Why there is no room for a batch now, in the provider's words; null where the batch failed for another reason. */
export function capacityRefusal(error: ChildWorkflowFailure): string | null {
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure)) return null;
  const [details] = (cause.details ?? []) as [{ status?: number; errors?: { code?: string; message?: string }[] }?];
  const said = `${cause.message} ${(details?.errors ?? []).map(({ code, message }) => `${code} ${message}`).join(' ')}`;
  const isRefusal = cause.type === 'BatchFailed' || (cause.type === 'ApiRefused' && details?.status === 429);
  return isRefusal && NO_CAPACITY.test(said) ? cause.message : null;
}
