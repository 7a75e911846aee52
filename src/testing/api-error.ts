/** The body of every error of the API. */
export interface ApiErrorBody {
  readonly error: { message: string; type: string; param: string | null; code: string | null };
}

export interface ApiErrorFields {
  /** Default by status, e.g. `invalid_request_error`. */
  readonly type?: string;
  readonly param?: string | null;
  readonly code?: string | null;
  /** Further response headers. */
  readonly headers?: Record<string, string>;
}

/** An error reply: thrown by handlers, written by the server in OpenAI's shape. */
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
      type: fields.type ?? typeOf(status),
      param: fields.param ?? null,
      code: fields.code ?? null,
    },
  };
}

function typeOf(status: number): string {
  if (status === 429) return 'requests';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** 404 in the API's words. @param kind `File`, `batch`, `fine-tuning job` … */
export function notFound(kind: string, id: string): ApiError {
  return new ApiError(404, `No such ${kind} object: ${id}`, { param: 'id' });
}

/** 400 for a missing field. */
export function missingParameter(param: string): ApiError {
  return new ApiError(400, `Missing required parameter: '${param}'.`, { param, code: 'missing_required_parameter' });
}

/** 400 for a field of the wrong JSON type. @param expected with its article, e.g. `a string` */
export function invalidType(param: string, expected: string, got: unknown): ApiError {
  return new ApiError(400, `Invalid type for '${param}': expected ${expected}, but got ${kindOf(got)} instead.`, {
    param,
    code: 'invalid_type',
  });
}

/** 400 for a value outside a closed set. */
export function invalidValue(param: string, value: unknown, supported: readonly string[]): ApiError {
  const values = supported.map((entry) => `'${entry}'`).join(', ');
  return new ApiError(400, `Invalid value: '${String(value)}'. Supported values are: ${values}.`, {
    param,
    code: 'invalid_value',
  });
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal number';
  return `a ${typeof value}`;
}
