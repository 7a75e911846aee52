import type { ApiCall } from './server/endpoint.js';

/** The body of every error of the API. */
interface ApiErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

interface ApiErrorFields {
  /** @default by status, e.g. `invalid_request_error` */
  readonly type?: string;
  readonly param?: string | null;
  readonly code?: string | null;
  /** Further response headers. */
  readonly headers?: Record<string, string>;
}

/** An error reply: thrown by endpoints, sent by the server in OpenAI's shape. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: ApiErrorBody;

  constructor(status: number, message: string, fields: ApiErrorFields = {}) {
    super(message);
    this.status = status;
    this.headers = fields.headers ?? {};
    this.body = errorBody(status, message, fields);
  }
}

export function errorBody(status: number, message: string, fields: ApiErrorFields = {}): ApiErrorBody {
  return {
    error: {
      message,
      type: fields.type ?? errorType(status),
      param: fields.param ?? null,
      code: fields.code ?? null,
    },
  };
}

function errorType(status: number): string {
  if (status === 429) return 'requests';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** A 404 as the API phrases it. @param kind `File`, `Batch`, `FineTuningJob` … */
export function notFound(kind: string, id: string): ApiError {
  return new ApiError(404, `No such ${kind} object: ${id}`, { param: 'id' });
}

const KINDS: Record<string, string> = {
  files: 'File',
  uploads: 'Upload',
  batches: 'Batch',
  fineTuning: 'FineTuningJob',
  webhooks: 'WebhookEndpoint',
};

/** A 404 for the object in the path of a call. */
export function notFoundFor(call: ApiCall): ApiError {
  const [area = ''] = call.operation.split('.');
  return notFound(KINDS[area] ?? area, call.id ?? '');
}

/** A 400 for a missing parameter. */
export function missingParameter(param: string): ApiError {
  return new ApiError(400, `Missing required parameter: '${param}'.`, { param, code: 'missing_required_parameter' });
}

/** A 400 for a parameter of the wrong JSON type. @param expected with its article, e.g. `a string` */
export function invalidType(param: string, expected: string, actual: unknown): ApiError {
  return new ApiError(
    400,
    `Invalid type for '${param}': expected ${expected}, but got ${jsonTypeOf(actual)} instead.`,
    {
      param,
      code: 'invalid_type',
    },
  );
}

function jsonTypeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal number';
  return `a ${typeof value}`;
}

/** A 400 for a value outside a closed set. */
export function invalidValue(param: string, value: unknown, supported: readonly string[]): ApiError {
  const values = supported.map((entry) => `'${entry}'`).join(', ');
  return new ApiError(400, `Invalid value: '${String(value)}'. Supported values are: ${values}.`, {
    param,
    code: 'invalid_value',
  });
}

/** Checks that an integer is between `min` and `max`, both included. @throws the API's 400 */
export function checkRange(param: string, value: number, min: number, max: number): void {
  if (value >= min && value <= max) return;
  const [problem, expected, code] =
    value < min
      ? ['below minimum', `>= ${min}`, 'integer_below_min_value']
      : ['above maximum', `<= ${max}`, 'integer_above_max_value'];
  const message = `Invalid '${param}': integer ${problem} value. Expected a value ${expected}, but got ${value} instead.`;
  throw new ApiError(400, message, { param, code });
}

/** Checks the length of a string. @param max in characters @throws the API's 400 */
export function checkLength(param: string, length: number, max: number): void {
  if (length <= max) return;
  const message = `Invalid '${param}': string too long. Expected a string with maximum length ${max}, but got a string with length ${length} instead.`;
  throw new ApiError(400, message, { param, code: 'string_above_max_length' });
}
