/** Calls to one provider: every error is judged, every secret redacted, every reply read by its schema. */
import { activityInfo } from '@temporalio/activity';
import type { ApplicationFailure } from '@temporalio/common';
import { failure } from '../../contract/failures.js';
import type OpenAI from 'openai';
import type { z } from 'zod';
import type { ApiError, Operation } from '../../provider/error-table.js';
import type { Provider } from '../../provider/providers.js';
import { apiFailure, toApiError } from './api-failure.js';
import type { ActivityContext } from '../runtime/context.js';

/** A reply, or the API's error: for calls whose errors mean something to the caller (404, 409). */
export type Reply<T> =
  { readonly value: T; readonly error?: undefined } | { readonly value?: undefined; readonly error: ApiError };

export class ProviderApi {
  readonly provider: Provider;
  readonly #secrets: () => string[];

  constructor(provider: Provider, secrets: () => string[]) {
    this.provider = provider;
    this.#secrets = secrets;
  }

  /** The reply or the API's error. Anything else (a bug, a cancellation) is thrown. */
  async attempt<T>(request: (client: OpenAI) => PromiseLike<T>): Promise<Reply<T>> {
    try {
      return { value: await request(this.provider.client) };
    } catch (error) {
      const apiError = toApiError(error, this.#secrets());
      if (apiError === null) throw error;
      return { error: apiError };
    }
  }

  /** The reply; an error of the API is thrown as the failure that the table of errors makes of it. */
  async call<T>(operation: Operation, request: (client: OpenAI) => PromiseLike<T>): Promise<T> {
    const outcome = await this.attempt(request);
    if (outcome.error) throw this.failure(operation, outcome.error);
    return outcome.value;
  }

  failure(operation: Operation, error: ApiError): ApplicationFailure {
    return apiFailure(operation, error, activityInfo().attempt);
  }
}

/** The named provider's API, or `UnknownProvider`. */
export function providerApi({ providers }: ActivityContext, name: string): ProviderApi {
  const provider = providers.get(name);
  if (provider) return new ProviderApi(provider, () => providers.secrets());
  const known = providers.names;
  const message = `Unknown provider "${name}" (configured: ${known.join(', ') || 'none'})`;
  throw failure('UnknownProvider', message, { provider: name, known });
}

/** Reads a reply by its schema; a reply that is not what was asked for (a proxy's page, a cut body) is a passing error. */
export function parseReply<Schema extends z.ZodType>(
  operation: Operation,
  schema: Schema,
  reply: unknown,
): z.output<Schema> {
  const reading = schema.safeParse(reply);
  if (reading.success) return reading.data;
  const fields = reading.error.issues.map((issue) => issue.path.join('.') || '(the reply)');
  const message = `${operation}: unexpected reply: missing or invalid ${fields.slice(0, 5).join(', ')}`;
  const details = { operation, status: null, code: 'unreadable_reply', type: null, param: null, requestId: null };
  throw failure('ApiUnavailable', message, details);
}
