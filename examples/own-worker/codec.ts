/** A codec that encrypts what Temporal sees. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';

const ENCODING = Buffer.from('binary/encrypted');

/** AES-256-GCM. A real one takes the key from a key service, and writes its id into the metadata. */
export class EncryptionCodec implements PayloadCodec {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    this.#key = key;
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map(({ metadata, data }) => {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', this.#key, iv);
      const named = Object.entries(metadata ?? {}).map(([name, value]) => [
        name,
        Buffer.from(value).toString('base64'),
      ]);
      const plain = JSON.stringify({
        metadata: Object.fromEntries(named),
        data: Buffer.from(data ?? []).toString('base64'),
      });
      const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
      return { metadata: { encoding: ENCODING }, data: Buffer.concat([iv, cipher.getAuthTag(), sealed]) };
    });
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      if (!payload.data || !ENCODING.equals(Buffer.from(payload.metadata?.encoding ?? []))) return payload;
      const bytes = Buffer.from(payload.data);
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, 12));
      decipher.setAuthTag(bytes.subarray(12, 28));
      const plain = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString();
      const { metadata, data } = JSON.parse(plain) as { metadata: Record<string, string>; data: string };
      const named = Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')] as const);
      return { metadata: Object.fromEntries(named), data: Buffer.from(data, 'base64') };
    });
  }
}
