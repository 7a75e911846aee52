import type { FastifyRequest } from 'fastify';
import { ApiError } from '../api-error.js';
import { isObject } from '../body-params.js';
import type { BodyPart, Endpoint, Operation, ServedCall } from './endpoint.js';

const MAX_FIELD_BYTES = 1 << 20;

/** One request that the local API has received. Never holds bodies or keys. */
export interface LoggedRequest {
  /** Epoch ms on the API's clock. */
  readonly at: number;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Undefined for a path that the API does not have. */
  readonly operation: Operation | undefined;
  readonly id?: string;
  /** Undefined until the reply is sent, and for a request that gets none. */
  status: number | undefined;
  /** The kind of the fault that was applied. */
  fault?: string;
  /** What the SDK reports about itself and its attempt. */
  readonly attemptHeaders?: Readonly<Record<string, string>>;
}

const ATTEMPT_HEADERS = ['x-stainless-retry-count', 'x-stainless-timeout', 'idempotency-key', 'range', 'user-agent'];

/** @param endpoint undefined for an unknown path @param now epoch ms */
export function logEntry(request: FastifyRequest, endpoint: Endpoint | undefined, now: number): LoggedRequest {
  const headers = singleValues(request.headers);
  const attemptHeaders = ATTEMPT_HEADERS.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const { id } = singleValues(request.params);
  return {
    at: now,
    method: request.method,
    path: request.url,
    operation: endpoint?.operation,
    ...(endpoint === undefined || id === undefined ? {} : { id }),
    status: undefined,
    attemptHeaders: Object.fromEntries(attemptHeaders),
  };
}

/** @param fileBytes the largest file of a multipart body */
export function readCall(request: FastifyRequest, { operation }: Endpoint, fileBytes: number): ServedCall {
  const { authorization: _secret, ...headers } = singleValues(request.headers);
  return {
    operation,
    method: request.method,
    path: request.url,
    id: singleValues(request.params).id,
    query: singleValues(request.query),
    body: request.isMultipart() ? undefined : request.body,
    headers,
    parts: () => bodyParts(request, fileBytes),
  };
}

/** The strings of a record; of a list of values the first. */
function singleValues(record: unknown): Record<string, string | undefined> {
  if (!isObject(record)) return {};
  const entries = Object.entries(record).flatMap(([name, values]) => {
    const [value]: unknown[] = [values].flat();
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return Object.fromEntries(entries);
}

/** The parts of a multipart body, in the order in which they arrive. */
async function* bodyParts(request: FastifyRequest, fileBytes: number): AsyncGenerator<BodyPart> {
  if (!request.isMultipart()) return;
  // Nested fields arrive under flat names, such as `expires_after[anchor]`.
  for await (const part of request.parts({ limits: { fileSize: fileBytes, fieldSize: MAX_FIELD_BYTES, files: 1 } })) {
    yield part.type === 'file'
      ? { kind: 'file', name: part.fieldname, filename: part.filename, stream: part.file }
      : { kind: 'field', name: part.fieldname, value: String(part.value) };
  }
}

/** The key of an `authorization: Bearer …` header. */
export function apiKeyOf(request: FastifyRequest): string | undefined {
  return /^bearer (.+)$/iu.exec(request.headers.authorization ?? '')?.[1];
}

/** @throws a 401 as the API sends it, which shows only a part of a wrong key */
export function checkApiKey(request: FastifyRequest, apiKey: string): void {
  const key = apiKeyOf(request);
  if (key === undefined) {
    throw new ApiError(
      401,
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
    );
  }
  if (key !== apiKey) {
    const masked = `${key.slice(0, 4)}${'*'.repeat(8)}${key.slice(-2)}`;
    throw new ApiError(401, `Incorrect API key provided: ${masked}.`, { code: 'invalid_api_key' });
  }
}
