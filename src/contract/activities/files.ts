import type { CheckedFile } from '../checked-file.js';

export interface UploadFileInput {
  readonly provider: string;
  /** A file that no longer has this size and hash is refused. */
  readonly file: CheckedFile;
  readonly purpose: 'batch' | 'fine-tune';
  /** Unique among all runs, so that a retry finds by it what an earlier attempt uploaded. */
  readonly filename: string;
  /** Seconds after which the provider deletes the file, in case that no run deletes it. */
  readonly expiresAfterSeconds: number;
  /** Epoch seconds. No file with this name can be older. */
  readonly notBefore: number;
  /** Whether an earlier run of this workflow (before a reset) may have uploaded it. */
  readonly mayExist: boolean;
}

export interface FileActivities {
  /** Uploads a file once: a retry adopts what an earlier attempt uploaded. */
  uploadFile(input: UploadFileInput): Promise<{ fileId: string; adopted: boolean }>;
  /**
   * Deletes files at the provider. One that is already gone is fine; one that cannot be deleted is reported in `kept`.
   */
  deleteFiles(input: { provider: string; fileIds: string[] }): Promise<{ deleted: string[]; kept: string[] }>;
}
