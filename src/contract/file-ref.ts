import * as z from 'zod';

/** A reference to a file in storage. Bodies stay in storage; only references become part of a workflow's history. */
export interface FileRef {
  /** `file:` or `s3:` URI. */
  readonly uri: string;
  /** Size in bytes. */
  readonly bytes: number;
  /** Number of lines. The last one counts with or without its newline. */
  readonly lines: number;
  /** Hash of the whole content, lower-case hex. */
  readonly sha256: string;
}

/** The schema of `FileRef`. */
export const fileRefSchema: z.ZodType<FileRef, FileRef> = z.object({
  uri: z.string(),
  bytes: z.number().int().nonnegative(),
  lines: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
