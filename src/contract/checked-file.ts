/** A file in storage, as it was when its lines were checked. It is refused if its size or hash has changed since. */
export interface CheckedFile {
  /** `file:` or `s3:` URI. */
  readonly uri: string;
  /** Whether the file begins with a byte order mark, which is not uploaded. */
  readonly hasByteOrderMark?: boolean;
  /** Size in bytes. */
  readonly bytes: number;
  /** Hash of the whole content, lower-case hex. */
  readonly sha256: string;
}
