/** Files at the provider: upload from storage, delete. */
import { createHash, type Hash } from 'node:crypto';
import { activityInfo, cancellationSignal, log, sleep } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { fileObjectSchema, type FileSnapshot } from '../provider/objects/file.js';
import type { FileActivities, UploadFileInput } from '../contract/activities/files.js';
import { invalidField, invalidInput } from '../contract/failures.js';
import { FILE_LIMITS, PAGE_SIZES } from '../contract/limits.js';
import { providerApi, parseReply, type ProviderApi } from './calls/provider-api.js';
import { withHeartbeat } from './runtime/heartbeat.js';
import { listAll } from './calls/list-all.js';
import { postFile } from '../provider/upload-form.js';
import type { ActivityContext } from './runtime/context.js';

/** Five times what a request without a file may take (so five minutes), and a second for each megabyte. */
const uploadTimeoutMs = ({ provider }: ProviderApi, bytes: number): number =>
  5 * provider.client.timeout + Math.ceil(bytes / 1_000);

export function fileActivities(toolbox: ActivityContext): FileActivities {
  return {
    /** Uploads a file once: a retry adopts what an earlier attempt brought over. */
    async uploadFile(input: UploadFileInput): Promise<{ fileId: string; adopted: boolean }> {
      const api = providerApi(toolbox, input.provider);
      return withHeartbeat(async () => {
        if (activityInfo().attempt > 1 || input.mayExist) {
          const earlier = await findUpload(api, input);
          if (earlier) return { fileId: (await processed(api, earlier)).id, adopted: true };
        }
        const uploaded = await upload(api, toolbox, input);
        return { fileId: (await processed(api, uploaded)).id, adopted: false };
      });
    },

    /** Deletes files at the provider; one that is gone already is fine, and one that cannot be deleted is only reported. */
    async deleteFiles(input: { provider: string; fileIds: string[] }): Promise<{ deleted: string[]; kept: string[] }> {
      const api = providerApi(toolbox, input.provider);
      const deleted: string[] = [];
      const kept: string[] = [];
      for (const fileId of input.fileIds) {
        const { error } = await api.attempt((client) => client.files.delete(fileId));
        if (!error || error.status === 404) {
          deleted.push(fileId);
          continue;
        }
        const failure = api.failure('files.delete', error);
        // A clean-up must not hold up a result for ever.
        if (!failure.nonRetryable && activityInfo().attempt < 5) throw failure;
        log.warn('A file could not be deleted at the provider', { fileId, status: error.status, code: error.code });
        kept.push(fileId);
      }
      return { deleted, kept };
    },
  };
}

async function upload(api: ProviderApi, { storage }: ActivityContext, input: UploadFileInput): Promise<FileSnapshot> {
  const { uri, bytes, sha256 } = input.file;
  if ((await storage.stat(uri))?.bytes !== bytes) throw changedSince(uri);
  const hash = createHash('sha256');
  const { min, max } = FILE_LIMITS.expiresAfterSeconds;
  const expiry = Math.min(Math.max(Math.round(input.expiresAfterSeconds), min), max);
  const reply = await api.call('files.create', (client) =>
    postFile(
      client,
      {
        filename: input.filename,
        bytes,
        content: () => hashing(storage.read(uri), hash),
        fields: {
          purpose: input.purpose,
          ...(api.provider.fileExpiry && {
            'expires_after[anchor]': 'created_at',
            'expires_after[seconds]': String(expiry),
          }),
        },
      },
      { timeout: uploadTimeoutMs(api, bytes), signal: cancellationSignal() },
    ),
  );
  const file = parseReply('files.create', fileObjectSchema, reply);
  if (hash.digest('hex') !== sha256) {
    await api.attempt((client) => client.files.delete(file.id));
    throw changedSince(uri);
  }
  return file;
}

async function* hashing(source: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}

function changedSince(uri: string): ApplicationFailure {
  return invalidInput(
    {
      faults: [{ message: 'the file changed after it was checked; start again with a file that nobody writes to' }],
      total: 1,
    },
    `${uri}: `,
  );
}

/** The file of this name that an earlier attempt uploaded whole, if there is one. Lists newest first and stops at `notBefore`. */
async function findUpload(api: ProviderApi, input: UploadFileInput): Promise<FileSnapshot | null> {
  const query = { purpose: input.purpose, order: 'desc', limit: PAGE_SIZES.files };
  try {
    for await (const object of listAll(api, 'files.list', '/files', query)) {
      const reading = fileObjectSchema.safeParse(object);
      if (!reading.success) continue;
      const file = reading.data;
      if (file.createdAt !== null && file.createdAt < input.notBefore) return null;
      if (file.filename === input.filename && file.bytes === input.file.bytes && file.status !== 'error') return file;
    }
  } catch (error) {
    // Who may not list cannot adopt: a second upload costs nothing, and the first dies by itself.
    if (!(error instanceof ApplicationFailure) || !error.nonRetryable) throw error;
    log.warn('The files at the provider cannot be listed, so the file is uploaded anew', { why: error.message });
  }
  return null;
}

/** Waits until a provider that needs it has processed the file. */
async function processed(api: ProviderApi, file: FileSnapshot): Promise<FileSnapshot> {
  let current = file;
  while (api.provider.fileMustBeProcessed && current.status !== 'processed') {
    if (current.status === 'error') {
      const message = `the provider cannot process the file: ${current.statusDetails ?? 'no reason given'}`;
      throw invalidField(null, message);
    }
    await sleep('2s');
    const reply = await api.call('files.retrieve', (openai) => openai.files.retrieve(file.id));
    current = parseReply('files.retrieve', fileObjectSchema, reply);
  }
  return current;
}
