/** A file in storage as the check of its lines found it. A later reading with another size or hash is refused. */
export interface CheckedFile {
  /** `file:` or `s3:` URI. */
  readonly uri: string;
  /** Size in bytes. */
  readonly bytes: number;
  /** Hash of the whole content, lower-case hex. */
  readonly sha256: string;
}
