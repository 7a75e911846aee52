import { z } from 'zod';

/** A file in storage: where it is, and enough to tell that it is whole. Bodies stay in storage; only this travels through a workflow. */
export interface FileRef {
  /** `file:` or `s3:` URI. */
  readonly uri: string;
  /** Size in bytes. */
  readonly bytes: number;
  /** Lines, the last one counted with or without its newline. */
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
