import { z } from 'zod';

/**
 * A file in storage, with size and hash to verify it. Only references pass through Temporal; contents stay in storage.
 */
export interface FileRef {
  /** `file:` or `s3:` URI. */
  readonly uri: string;
  /** Size in bytes. */
  readonly bytes: number;
  /** Number of lines; a last line without a newline counts, too. */
  readonly lines: number;
  /** Hash of the whole content, lower-case hex. */
  readonly sha256: string;
}

export const fileRefSchema = z.object({
  uri: z.string(),
  bytes: z.number().int().nonnegative(),
  lines: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
