import { z } from 'zod';
import { ifReadable, wireId, wireStatus, wireText, wireTime } from './wire.js';

const text = ifReadable(z.string());

/** An uploaded file, reduced to what something depends on. Times are epoch seconds. */
export const fileObjectSchema = z
  .object({
    id: wireId,
    filename: text,
    bytes: ifReadable(z.number()),
    status: ifReadable(wireStatus),
    status_details: ifReadable(wireText()),
    created_at: ifReadable(wireTime),
    expires_at: ifReadable(wireTime),
  })
  .transform((file) => ({
    id: file.id,
    filename: file.filename ?? null,
    bytes: file.bytes ?? null,
    status: file.status ?? null,
    statusDetails: file.status_details ?? null,
    createdAt: file.created_at ?? null,
    expiresAt: file.expires_at ?? null,
  }));
export type FileSnapshot = z.output<typeof fileObjectSchema>;
