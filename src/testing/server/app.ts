import multipart from '@fastify/multipart';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { ApiError } from '../api-error.js';
import { applyEffect, HiddenObjects } from '../faults/apply-effect.js';
import type { FaultBook } from '../faults/fault-book.js';
import { hexId, randomFor } from '../random.js';
import type { Answer, Endpoint, ServedCall } from './endpoint.js';
import { errorReply, replyStatus, sendReply, type Reply } from './reply.js';
import { apiKeyOf, checkApiKey, logEntry, readCall, type LoggedRequest } from './request.js';

interface AppOptions {
  readonly apiKey: string;
  readonly seed: number;
  /** The largest file of a multipart body. */
  readonly fileBytes: number;
  readonly now: () => Promise<number>;
  readonly faults: FaultBook;
  readonly requests: LoggedRequest[];
  readonly logger: { info: (message: string) => void } | undefined;
}

const MAX_JSON_BODY_BYTES = 16 * 1024 * 1024;

/** The HTTP server: keys, faults, logging and errors around the endpoints. */
export async function buildApp(endpoints: readonly Endpoint[], options: AppOptions): Promise<FastifyInstance> {
  const app = fastify({
    // A silent connection must not delay close().
    forceCloseConnections: true,
    bodyLimit: MAX_JSON_BODY_BYTES,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 500 },
  });
  await app.register(multipart, { throwFileSizeLimit: false });
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    try {
      // A POST without a body may have the header nevertheless.
      done(null, text === '' ? undefined : JSON.parse(text as string));
    } catch {
      done(new ApiError(400, 'We could not parse the JSON body of your request.'));
    }
  });
  const server = new RequestServer(options);
  for (const endpoint of endpoints) {
    app.route({
      method: endpoint.method,
      url: endpoint.path,
      handler: (request, reply) => server.serveEndpoint(request, reply, endpoint),
    });
  }
  app.setNotFoundHandler((request, reply) =>
    server.serveError(request, reply, new ApiError(404, `Invalid URL (${request.method} ${request.url})`)),
  );
  // Errors of the framework itself, such as a body that cannot be read.
  app.setErrorHandler((error: Error, request, reply) => server.serveError(request, reply, error));
  return app;
}

interface Served {
  readonly reply: Reply;
  /** The kind of the fault that was applied. */
  readonly fault?: string;
}

/** Serves each request from the check of its key to its log entry. */
class RequestServer {
  readonly #options: AppOptions;
  readonly #hidden = new HiddenObjects();
  #requests = 0;

  constructor(options: AppOptions) {
    this.#options = options;
  }

  serveEndpoint(request: FastifyRequest, response: FastifyReply, endpoint: Endpoint): Promise<FastifyReply> {
    return this.#serve(request, response, endpoint, async () => {
      const call = readCall(request, endpoint, this.#options.fileBytes);
      const effect = this.#options.faults.take(call);
      const handle = (): Promise<Answer> => this.#answer(endpoint, call);
      if (effect === undefined) return { reply: { kind: 'answer', answer: await handle() } };
      const faulted = { call, handle, hidden: this.#hidden, apiKey: apiKeyOf(request) };
      return { reply: await applyEffect(effect, faulted).catch(errorReply), fault: effect.kind };
    });
  }

  serveError(request: FastifyRequest, response: FastifyReply, error: Error): Promise<FastifyReply> {
    return this.#serve(request, response, undefined, async () => ({ reply: errorReply(error) }));
  }

  async #answer(endpoint: Endpoint, call: ServedCall): Promise<Answer> {
    this.#hidden.check(call);
    const answer = await endpoint.handle(call);
    return 'json' in answer ? { ...answer, json: this.#hidden.filter(answer.json) } : answer;
  }

  async #serve(
    request: FastifyRequest,
    response: FastifyReply,
    endpoint: Endpoint | undefined,
    work: () => Promise<Served>,
  ): Promise<FastifyReply> {
    const { apiKey, now, requests, logger } = this.#options;
    const time = await now();
    const logged = logEntry(request, endpoint, time);
    requests.push(logged);
    const headers = this.#replyHeaders(time);
    response.hijack();
    let served: Served;
    try {
      checkApiKey(request, apiKey);
      served = await work();
    } catch (error) {
      served = { reply: errorReply(error) };
    }
    const status = replyStatus(served.reply);
    logged.status = status;
    if (served.fault !== undefined) logged.fault = served.fault;
    const fault = served.fault === undefined ? '' : ` (${served.fault})`;
    logger?.info(`${logged.method} ${logged.path} ${status ?? 'no reply'}${fault}`);
    // A client may disconnect in the middle of a body, which is no error here.
    await sendReply(response.raw, served.reply, headers).catch(() => response.raw.destroy());
    return response;
  }

  /** `date` is the time of the API's clock, from which a client can tell how its own differs. */
  #replyHeaders(now: number): Record<string, string> {
    const random = randomFor(this.#options.seed, 'request', this.#requests);
    this.#requests += 1;
    return {
      date: new Date(now).toUTCString(),
      'x-request-id': `req_${hexId(32, random)}`,
      'openai-version': '2020-10-01',
      'openai-processing-ms': '1',
    };
  }
}
