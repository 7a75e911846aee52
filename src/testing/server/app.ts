import multipart from '@fastify/multipart';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { ApiError } from '../api-error.js';
import { applyEffect, type Outcome } from '../faults/apply-effect.js';
import type { FaultBook } from '../faults/fault-book.js';
import { HiddenObjects } from '../faults/hidden-objects.js';
import { hexId, randomFor } from '../random.js';
import { apiKeyOf, checkApiKey } from './api-key.js';
import type { Answer, ApiCall, Endpoint, ServedCall } from './endpoint.js';
import { bodyParts } from './multipart.js';
import { attemptHeaders, type LoggedRequest } from './request-log.js';
import { send } from './send.js';

export interface AppOptions {
  readonly apiKey: string;
  readonly seed: number;
  /** The largest file that a multipart body may hold. */
  readonly fileBytes: number;
  readonly now: () => Promise<number>;
  readonly faults: FaultBook;
  readonly requests: LoggedRequest[];
  readonly logger: { info: (message: string) => void } | undefined;
}

const JSON_BODY_BYTES = 16 * 1024 * 1024;

/** The HTTP server: keys, faults, logging and errors around the endpoints. */
export async function buildApp(endpoints: readonly Endpoint[], options: AppOptions): Promise<FastifyInstance> {
  const app = fastify({
    // A silent connection must not hold up close().
    forceCloseConnections: true,
    bodyLimit: JSON_BODY_BYTES,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 500 },
  });
  await app.register(multipart, { throwFileSizeLimit: false });
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    try {
      // A POST without a body may still carry the header.
      done(null, text === '' ? undefined : JSON.parse(text as string));
    } catch {
      done(new ApiError(400, 'We could not parse the JSON body of your request.'));
    }
  });
  const hidden = new HiddenObjects();
  const answerer = new Answerer(options);

  for (const endpoint of endpoints) {
    app.route({
      method: endpoint.method,
      url: endpoint.path,
      handler: (request, reply) =>
        answerer.reply(request, reply, endpoint, async (call) => {
          const handle = async (): Promise<Answer> => {
            hidden.check(call);
            const answer = await endpoint.handle(call);
            return 'json' in answer ? { ...answer, json: hidden.filter(answer.json) } : answer;
          };
          const effect = options.faults.strike(call);
          if (effect === undefined) return { outcome: { kind: 'answer', answer: await handle() } };
          const apiKey = apiKeyOf(request.headers.authorization);
          const outcome = await applyEffect(effect, { call, handle, hidden, apiKey }).catch(errorOutcome);
          return { outcome, fault: effect.kind };
        }),
    });
  }
  app.setNotFoundHandler((request, reply) =>
    answerer.reply(request, reply, undefined, () => {
      throw new ApiError(404, `Invalid URL (${request.method} ${request.url})`);
    }),
  );
  // Errors of the framework itself: bodies that cannot be read.
  app.setErrorHandler((error: Error, request, reply) =>
    answerer.reply(request, reply, undefined, () => {
      throw error;
    }),
  );
  return app;
}

type Serve = (call: ServedCall) => Promise<{ outcome: Outcome; fault?: string }>;

/** Carries one request from its key to the log. */
class Answerer {
  readonly #options: AppOptions;
  #count = 0;

  constructor(options: AppOptions) {
    this.#options = options;
  }

  async reply(
    request: FastifyRequest,
    reply: FastifyReply,
    endpoint: Endpoint | undefined,
    serve: Serve,
  ): Promise<FastifyReply> {
    const { apiKey, fileBytes, now, requests, logger, seed } = this.#options;
    const call = callOf(request, endpoint, fileBytes);
    const logged: LoggedRequest = {
      at: await now(),
      method: call.method,
      path: call.path,
      operation: endpoint?.operation,
      ...(call.id === undefined ? {} : { id: call.id }),
      status: undefined,
      attemptHeaders: attemptHeaders(call.headers),
    };
    requests.push(logged);
    const headers = {
      'x-request-id': `req_${hexId(32, randomFor(seed, 'request', this.#count++))}`,
      'openai-version': '2020-10-01',
      'openai-processing-ms': '1',
    };
    reply.hijack();
    let outcome: Outcome;
    try {
      checkApiKey(request.headers.authorization, apiKey);
      const served = await serve(call);
      ({ outcome } = served);
      if (served.fault !== undefined) logged.fault = served.fault;
    } catch (error) {
      outcome = errorOutcome(error);
    }
    const status = statusOf(outcome);
    if (status !== undefined) logged.status = status;
    logger?.info(`${call.method} ${call.path} ${status ?? 'no reply'}${logged.fault ? ` (${logged.fault})` : ''}`);
    // The client may leave in the middle of a body; that is its business.
    await send(reply.raw, outcome, headers).catch(() => reply.raw.destroy());
    return reply;
  }
}

function callOf(request: FastifyRequest, endpoint: Endpoint | undefined, fileBytes: number): ServedCall {
  const { authorization: _secret, ...headers } = request.headers;
  const { id } = request.params as { id?: string };
  return {
    // An unknown path is served to no rule or handler that would read its operation.
    operation: endpoint?.operation as ApiCall['operation'],
    method: request.method,
    path: request.url,
    id: endpoint === undefined ? undefined : id,
    query: request.query as ServedCall['query'],
    body: request.isMultipart() ? undefined : request.body,
    headers: headers as ServedCall['headers'],
    parts: () => bodyParts(request, fileBytes),
  };
}

function statusOf(outcome: Outcome): number | undefined {
  if (outcome.kind === 'answer' || outcome.kind === 'cut') return outcome.answer.status ?? 200;
  return outcome.kind === 'raw' ? outcome.status : undefined;
}

function errorOutcome(error: unknown): Outcome {
  const known = error instanceof ApiError ? error : asApiError(error);
  return { kind: 'answer', answer: { status: known.status, headers: known.headers, json: known.body } };
}

/** Errors of the framework, such as a broken multipart body, know their status; all others are faults of ours. */
function asApiError(error: unknown): ApiError {
  if (!(error instanceof Error)) return new ApiError(500, `The local API failed: ${String(error)}`);
  const { statusCode = 500 } = error as { statusCode?: number };
  return new ApiError(statusCode, statusCode < 500 ? error.message : `The local API failed: ${error.stack}`);
}
