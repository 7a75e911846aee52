/** Signatures of Standard Webhooks (https://www.standardwebhooks.com), which the API sends. */
import { createHmac, randomBytes } from 'node:crypto';

const PREFIX = 'whsec_';
const SECRET_BYTES = 32;

/**
 * A new secret: `whsec_` and the base64 of 32 bytes. It does not depend on the seed, since two accounts must not have the
 * same.
 */
export function newSecret(): string {
  return `${PREFIX}${randomBytes(SECRET_BYTES).toString('base64')}`;
}

/** What is signed, and sent in the headers beside the signature. */
export interface SignedDelivery {
  readonly id: string;
  /** Epoch seconds. */
  readonly timestamp: number;
  readonly body: string;
}

/**
 * The header `webhook-signature`: one signature for each secret, separated by spaces. A secret without the prefix is
 * used as text.
 */
export function signatureHeader({ id, timestamp, body }: SignedDelivery, secrets: readonly string[]): string {
  return secrets
    .map((secret) => {
      const key = secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), 'base64') : secret;
      return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
    })
    .join(' ');
}
