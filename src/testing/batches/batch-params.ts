import { ApiError, invalidValue } from '../api-error.js';
import type { ApiState } from '../api-state.js';
import { readExpiresAfter, readMetadata, readObject, requiredString } from '../body-params.js';
import type { BatchParams } from './batch-record.js';
import { BATCH_ENDPOINTS } from './inspect-input.js';

/** Reads and checks the body of `batches.create`. @throws the API's 400s */
export function readBatchParams(rawBody: unknown, state: ApiState, now: number): BatchParams {
  const body = readObject(rawBody);
  const inputFileId = requiredString(body, 'input_file_id');
  const endpoint = requiredString(body, 'endpoint');
  if (!(BATCH_ENDPOINTS as readonly string[]).includes(endpoint)) {
    throw invalidValue('endpoint', endpoint, BATCH_ENDPOINTS);
  }
  const completionWindow = requiredString(body, 'completion_window');
  const { completionWindows } = state.limits;
  if (!completionWindows.includes(completionWindow)) {
    throw invalidValue('completion_window', completionWindow, completionWindows);
  }
  const metadata = readMetadata(body);
  const outputExpiresAfter = readExpiresAfter('output_expires_after', body.output_expires_after);
  checkPurpose(inputFileId, state, now);
  return { inputFileId, endpoint, completionWindow, metadata, outputExpiresAfter };
}

/** Refuses a file with another purpose. A file that does not exist is accepted here, and fails the batch later. */
function checkPurpose(inputFileId: string, { files }: ApiState, now: number): void {
  const file = files.findAvailable(inputFileId, now);
  if (file === undefined || file.purpose === 'batch') return;
  throw new ApiError(400, `Invalid file purpose: '${file.purpose}'. The input file must have the purpose 'batch'.`, {
    param: 'input_file_id',
    code: 'invalid_file_purpose',
  });
}
