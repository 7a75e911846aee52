import type { CheckedFile } from '../checked-file.js';

export interface UploadFileInput {
  readonly provider: string;
  /** A file that no longer has this size and hash is refused. */
  readonly file: CheckedFile;
  readonly purpose: 'batch' | 'fine-tune';
  /** Unique over all runs: by it a retry finds what an earlier attempt uploaded. */
  readonly filename: string;
  /** Seconds after which the provider deletes the file by itself, so that a forgotten one does not stay. */
  readonly expiresAfterSeconds: number;
  /** Epoch seconds: nothing with this name can be older. */
  readonly notBefore: number;
  /** An earlier run of this workflow (before a reset) may have uploaded it. */
  readonly mayExist: boolean;
}

export interface FileActivities {
  /** Uploads a file once: a retry adopts what an earlier attempt uploaded. */
  uploadFile(input: UploadFileInput): Promise<{ fileId: string; adopted: boolean }>;
  /** Deletes files at the provider. One that is already gone is fine; one that cannot be deleted is reported in `kept`. */
  deleteFiles(input: { provider: string; fileIds: string[] }): Promise<{ deleted: string[]; kept: string[] }>;
}
