/** Calls to one provider, whose errors become failures with every secret redacted. */
import { activityInfo, cancellationSignal } from '@temporalio/activity';
import type { ApplicationFailure } from '@temporalio/common';
import type OpenAI from 'openai';
import type { z } from 'zod';
import { failure } from '../../contract/failures.js';
import { bounded } from '../../contract/text.js';
import { cleanReply } from '../../provider/clean-reply.js';
import type { Operation } from '../../provider/error-table.js';
import { abandoningReads, type OnReply } from '../../provider/guarded-fetch.js';
import type { Provider } from '../../provider/providers.js';
import { redact } from '../../provider/redact.js';
import { parseReply, type ApiError, type Reply } from '../../provider/reply.js';
import { toApiError } from '../../provider/sdk-error.js';
import type { ActivityContext } from '../runtime/context.js';
import { apiFailure } from './api-failure.js';
import { tracedCall } from './traced-call.js';

/** Longest request id that is kept, in characters. */
const MAX_REQUEST_ID = 200;

export class ProviderApi {
  readonly provider: Provider;
  readonly #secrets: () => string[];

  constructor(provider: Provider, secrets: () => string[]) {
    this.provider = provider;
    this.#secrets = secrets;
  }

  /**
   * The reply, cleaned unless it is the content of a file, or the API's error. Any other error, such as a bug or a
   * cancellation, is thrown.
   */
  attempt<T>(operation: Operation, request: (client: OpenAI) => PromiseLike<T>): Promise<Reply<T>> {
    const clean = (text: string) => bounded(redact(text, this.#secrets()), MAX_REQUEST_ID);
    return tracedCall(operation, { provider: this.provider.name, clean }, (onReply) => this.#attempt(request, onReply));
  }

  async #attempt<T>(request: (client: OpenAI) => PromiseLike<T>, onReply: OnReply): Promise<Reply<T>> {
    try {
      const value = await abandoningReads(cancellationSignal(), () => request(this.provider.client), onReply);
      if (value instanceof Response) return { value };
      return { value: cleanReply(value, { ...this.provider, secrets: this.#secrets() }) as T };
    } catch (error) {
      const apiError = toApiError(error, this.#secrets());
      if (apiError === null) throw error;
      return { error: apiError };
    }
  }

  /**
   * The reply as the schema reads it.
   *
   * @throws ApplicationFailure as the table of errors says; a reply that the schema does not accept is retried
   */
  async call<T>(
    operation: Operation,
    schema: z.ZodType<T>,
    request: (client: OpenAI) => PromiseLike<unknown>,
  ): Promise<T> {
    const { value, error } = parseReply(schema, await this.attempt(operation, request));
    if (error) throw this.failure(operation, error);
    return value;
  }

  failure(operation: Operation, error: ApiError): ApplicationFailure {
    return apiFailure(operation, error, activityInfo().attempt);
  }
}

/** @throws ApplicationFailure `UnknownProvider` */
export function providerApi({ providers }: ActivityContext, name: string): ProviderApi {
  const provider = providers.get(name);
  if (provider) return new ProviderApi(provider, () => providers.secrets());
  const known = providers.names;
  const message = `Unknown provider "${name}" (configured: ${known.join(', ') || 'none'})`;
  throw failure('UnknownProvider', message, { provider: name, known });
}
