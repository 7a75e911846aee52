import { ApiError } from '../api-error.js';

/** The key of an `authorization: Bearer …` header. */
export function apiKeyOf(authorization: string | undefined): string | undefined {
  return /^bearer (.+)$/iu.exec(authorization ?? '')?.[1];
}

/** @throws 401 as the API does; a wrong key is repeated in part only */
export function checkApiKey(authorization: string | undefined, apiKey: string): void {
  const key = apiKeyOf(authorization);
  if (key === undefined) {
    throw new ApiError(
      401,
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
    );
  }
  if (key !== apiKey) {
    const shown = `${key.slice(0, 4)}${'*'.repeat(8)}${key.slice(-2)}`;
    throw new ApiError(401, `Incorrect API key provided: ${shown}.`, { code: 'invalid_api_key' });
  }
}
