/** Files that the provider has to process before a job can use them, as Azure does. */
import { sleep } from '@temporalio/activity';
import { invalidField } from '../../contract/failures.js';
import { fileObjectSchema, type FileSnapshot } from '../../provider/objects/file.js';
import type { ProviderApi } from './provider-api.js';

/** Waits until the provider has processed the file, if it must be processed before a job can use it. */
export async function waitUntilProcessed(api: ProviderApi, file: FileSnapshot): Promise<FileSnapshot> {
  let current = file;
  while (api.provider.fileMustBeProcessed && current.status !== 'processed') {
    if (current.status === 'error') {
      const message = `the provider cannot process the file: ${current.statusDetails ?? 'no reason given'}`;
      throw invalidField(null, message);
    }
    await sleep('2s');
    current = await api.call('files.retrieve', fileObjectSchema, (openai) => openai.files.retrieve(file.id));
  }
  return current;
}

/** The same for a file that was at the provider before. */
export async function waitUntilFileIsProcessed(api: ProviderApi, fileId: string): Promise<void> {
  if (!api.provider.fileMustBeProcessed) return;
  await waitUntilProcessed(
    api,
    await api.call('files.retrieve', fileObjectSchema, (openai) => openai.files.retrieve(fileId)),
  );
}
