import type { DeliveryHeaders } from './read-delivery.js';

/** The part of the official client that verifies webhooks. */
export interface WebhookVerifier {
  readonly webhooks: {
    unwrap(payload: string, headers: Headers, secret: string, tolerance: number): PromiseLike<unknown>;
  };
}

/** Standard Webhooks asks for at least 24 bytes; a key of none or a few would let anybody sign. */
const MIN_KEY_BYTES = 16;
const MAX_SECRETS = 16;
const PREFIX = 'whsec_';

/**
 * The secrets without blanks around them.
 *
 * @throws TypeError for no secret, too many, or one that is too short; the message does not contain it
 */
export function checkedSecrets(secrets: string | readonly string[]): readonly string[] {
  const given = [secrets].flat().map((secret) => secret.trim());
  if (given.length === 0) throw new TypeError('a webhook handler needs the signing secret of its endpoint');
  if (given.length > MAX_SECRETS) throw new TypeError(`a webhook handler takes ${MAX_SECRETS} secrets at most`);
  const tooShort = given.findIndex((secret) => keyBytes(secret) < MIN_KEY_BYTES);
  if (tooShort < 0) return given;
  const which = given.length > 1 ? `webhook secret ${tooShort + 1} of ${given.length}` : 'the webhook secret';
  throw new TypeError(`${which} is not complete: expected "${PREFIX}…" as the provider showed it`);
}

/** Bytes of the key that the SDK makes of a secret. */
function keyBytes(secret: string): number {
  return secret.startsWith(PREFIX)
    ? Buffer.from(secret.slice(PREFIX.length), 'base64').length
    : Buffer.byteLength(secret);
}

/** Whether the timestamp of a delivery is within the tolerance. */
export function isTimely({ timestamp }: DeliveryHeaders, toleranceSeconds: number): boolean {
  return Math.abs(Math.floor(Date.now() / 1_000) - Number(timestamp)) <= toleranceSeconds;
}

/** The event of a delivery that one of the secrets signed, as JSON that is not checked further. */
export async function verifiedEvent(
  client: WebhookVerifier,
  { id, timestamp, signature }: DeliveryHeaders,
  body: string,
  { secrets, toleranceSeconds }: { readonly secrets: readonly string[]; readonly toleranceSeconds: number },
): Promise<{ readonly event: unknown } | 'forged' | 'malformed'> {
  const headers = new Headers({
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signature,
  });
  for (const secret of secrets) {
    try {
      return { event: await client.webhooks.unwrap(body, headers, secret, toleranceSeconds) };
    } catch (error) {
      // The body is parsed after its signature is verified.
      if (error instanceof SyntaxError) return 'malformed';
    }
  }
  return 'forged';
}
